// Loaded by `jco serve` before the component: what version 1.35 lacks for these tests.

import { HTTPServer, types } from "@bytecodealliance/preview2-shim/http";

const { OutgoingResponse, ResponseOutparam } = types;

// jco crashes at a response whose body was never opened (HEAD, OPTIONS), which
// wasi:http allows: opened late, the body is empty.
const withBody = new WeakSet();
const { body } = OutgoingResponse.prototype;
OutgoingResponse.prototype.body = function () {
  withBody.add(this);
  return body.call(this);
};
const { set } = ResponseOutparam;
ResponseOutparam.set = (outparam, result) => {
  if (result.tag === "ok" && !withBody.has(result.val)) result.val.body();
  set(outparam, result);
};

// Asked for port 0, jco would say that it listens on port 0.
const { listen } = HTTPServer.prototype;
HTTPServer.prototype.listen = function (port, host) {
  listen.call(this, port, host);
  console.log(`Serving http://${host}:${this.address().port}`);
};
