// `jco serve` loads this before the component. It adds what jco 1.35 lacks for the tests.

import { HTTPServer, types } from "@bytecodealliance/preview2-shim/http";

const { OutgoingResponse, ResponseOutparam } = types;

// jco crashes on a response whose body was never opened (HEAD, OPTIONS), which wasi:http
// allows. A body that is opened here is empty.
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

// With port 0, jco prints port 0 and not the port that it listens on.
const { listen } = HTTPServer.prototype;
HTTPServer.prototype.listen = function (port, host) {
  listen.call(this, port, host);
  console.log(`Serving http://${host}:${this.address().port}`);
};
