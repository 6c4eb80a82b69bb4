// Prints what is wrong with custom resources of GKE, an array on standard input, by the
// validators of @kubernetes-models/gke, which are generated from GKE's definitions.
//
// NODE_MODULES  the folder in which npm has installed the package

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const schemas = `${process.env.NODE_MODULES}/@kubernetes-models/gke/_schemas`;
const capital = (word) => word[0].toUpperCase() + word.slice(1);

for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  // cloud.google.com/v1, BackendConfig: CloudGoogleComV1BackendConfig
  const words = object.apiVersion.split(/[./]/).map(capital);
  const { validate } = require(`${schemas}/${words.join("")}${object.kind}.js`);
  const say = (path, problem) => console.log(`${object.kind}${path}: ${problem}`);
  // The API server validates metadata.
  const { metadata, ...rest } = object;
  const unread = new Set();
  if (!validate(observed(rest, "", unread))) {
    for (const { instancePath, keyword, params } of validate.errors) {
      say(instancePath, `${keyword} ${JSON.stringify(params)}`);
    }
  }
  for (const path of unread) say(path, "unknown field");
}

// The same value, whose fields are in `unread` until the validator reads them. It reads
// each field that the definition has, and no other.
function observed(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const inner = {};
  for (const [key, field] of Object.entries(value)) {
    inner[key] = observed(field, `${path}/${key}`, unread);
    unread.add(`${path}/${key}`);
  }
  const read = (key) => unread.delete(`${path}/${String(key)}`);
  return new Proxy(Array.isArray(value) ? Object.values(inner) : inner, {
    get: (target, key) => (read(key), target[key]),
    // The keys of a map are free.
    ownKeys: (target) => (Object.keys(target).forEach(read), Reflect.ownKeys(target)),
  });
}
