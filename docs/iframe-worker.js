// The search runs in a web worker, which browsers refuse to pages that are opened from a folder (file://).
// There, a hidden frame stands in for it: the same messages, another window. Nothing is loaded from elsewhere.

class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    this.waiting = []; // messages sent before the frame's script has run
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.window = frame.contentWindow;
    this.window.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    const script = frame.contentDocument.createElement("script");
    script.src = new URL(url, document.baseURI);
    script.onload = () => this.deliver();
    frame.contentDocument.body.append(script);
  }

  postMessage(data) {
    this.waiting.push(data);
    if (this.isReady) this.deliver();
  }

  deliver() {
    this.isReady = true;
    for (const data of this.waiting.splice(0)) {
      this.window.dispatchEvent(new MessageEvent("message", { data }));
    }
  }
}

if (location.protocol === "file:") window.Worker = FrameWorker;
