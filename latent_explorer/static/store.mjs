// What the page shows now, and who wants to know when it changes.

export class Store {
  constructor(state) {
    this.state = state;
    this.listeners = [];
    this.changed = new Set();
    this.waiting = false;
  }

  /** Call `listener(state, changed)` in the frame after a change of one of these keys. */
  listen(keys, listener) {
    this.listeners.push({ keys, listener });
  }

  /** Change some keys. Listeners hear of all changes of a frame at once. */
  set(change) {
    Object.assign(this.state, change);
    Object.keys(change).forEach((key) => this.changed.add(key));
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => this.tell());
  }

  tell() {
    const { changed } = this;
    this.waiting = false;
    this.changed = new Set();
    for (const { keys, listener } of this.listeners) {
      if (keys.some((key) => changed.has(key))) listener(this.state, changed);
    }
  }
}
