// node run_network.mjs NETWORK.json RESULTS.json: runs a packed network on examples.
//
// NETWORK.json has the description, the base64 data, the examples (each a list of inputs) and
// whether the gradient is wanted instead of the outputs.

import { readFileSync, writeFileSync } from "node:fs";
import { Network } from "../../latent_explorer/static/network.mjs";
import { decodeBase64 } from "../../latent_explorer/static/weights.mjs";

const [, , from, to] = process.argv;
const { description, data, examples, gradient } = JSON.parse(readFileSync(from));
const network = new Network(description, decodeBase64(data));
const results = examples.map((inputs) => {
  const outputs = network.run(inputs).map((output) => Array.from(output));
  return gradient ? [Array.from(network.gradient())] : outputs;
});
writeFileSync(to, JSON.stringify(results));
