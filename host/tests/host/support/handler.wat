;; A component for wasi:http 0.2. A test replaces HANDLER with the fields of a
;; core module. They export `handle`, which takes the request and the
;; response-outparam, and may call the functions below the imports.
(component
  (import "wasi:io/error@0.2.0" (instance $io-error
    (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))

  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "input-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $outer-error))
    (export "error" (type $error (eq $outer-error)))
    (type $failure (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failure)))
    (export "output-stream" (type $output (sub resource)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]output-stream.write" (func
      (param "self" (borrow $output)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]input-stream.blocking-read" (func
      (param "self" (borrow $stream)) (param "len" u64)
      (result (result (list u8) (error $stream-error)))))))
  (alias export $streams "input-stream" (type $stream))
  (alias export $streams "output-stream" (type $output))

  (import "wasi:cli/stderr@0.2.0" (instance $log
    (alias outer 1 $output (type $outer-output))
    (export "output-stream" (type $output (eq $outer-output)))
    (export "get-stderr" (func (result (own $output))))))

  (import "wasi:http/types@0.2.0" (instance $types
    (alias outer 1 $stream (type $outer-stream))
    (export "input-stream" (type $stream (eq $outer-stream)))
    (export "fields" (type $fields (sub resource)))
    (export "incoming-request" (type $request (sub resource)))
    (export "incoming-body" (type $body (sub resource)))
    (export "outgoing-response" (type $response (sub resource)))
    (export "response-outparam" (type $outparam (sub resource)))
    (type $dns' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $dns')))
    (type $tls' (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $tls (eq $tls')))
    (type $size' (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $size (eq $size')))
    (type $code' (variant
      (case "DNS-timeout") (case "DNS-error" $dns) (case "destination-not-found")
      (case "destination-unavailable") (case "destination-IP-prohibited")
      (case "destination-IP-unroutable") (case "connection-refused")
      (case "connection-terminated") (case "connection-timeout")
      (case "connection-read-timeout") (case "connection-write-timeout")
      (case "connection-limit-reached") (case "TLS-protocol-error")
      (case "TLS-certificate-error") (case "TLS-alert-received" $tls)
      (case "HTTP-request-denied") (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64)) (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32))
      (case "HTTP-request-header-size" (option $size))
      (case "HTTP-request-trailer-section-size" (option u32))
      (case "HTTP-request-trailer-size" $size) (case "HTTP-response-incomplete")
      (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $size) (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32))
      (case "HTTP-response-trailer-size" $size)
      (case "HTTP-response-transfer-coding" (option string))
      (case "HTTP-response-content-coding" (option string)) (case "HTTP-response-timeout")
      (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected")
      (case "configuration-error") (case "internal-error" (option string))))
    (export "error-code" (type $code (eq $code')))
    (type $header' (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $header (eq $header')))
    (alias outer 1 $output (type $outer-output))
    (export "output-stream" (type $output (eq $outer-output)))
    (export "outgoing-body" (type $content (sub resource)))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[method]fields.append" (func (param "self" (borrow $fields)) (param "name" string)
      (param "value" (list u8)) (result (result (error $header)))))
    (export "[method]outgoing-response.body" (func
      (param "self" (borrow $response)) (result (result (own $content)))))
    (export "[method]outgoing-body.write" (func
      (param "self" (borrow $content)) (result (result (own $output)))))
    (export "[static]outgoing-body.finish" (func (param "this" (own $content))
      (param "trailers" (option (own $fields))) (result (result (error $code)))))
    (export "[constructor]outgoing-response" (func
      (param "headers" (own $fields)) (result (own $response))))
    (export "[method]outgoing-response.set-status-code" (func
      (param "self" (borrow $response)) (param "status-code" u16) (result (result))))
    (export "[static]response-outparam.set" (func
      (param "param" (own $outparam)) (param "response" (result (own $response) (error $code)))))
    (export "[method]incoming-request.consume" (func
      (param "self" (borrow $request)) (result (result (own $body)))))
    (export "[method]incoming-body.stream" (func
      (param "self" (borrow $body)) (result (result (own $stream)))))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  (alias export $types "outgoing-body" (type $content))

  (core module $memory
    (memory (export "memory") 1)
    ;; Only the byte that $first-byte reads is ever allocated.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (data (i32.const 2048) "content-length") (data (i32.const 2080) "abc"))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $memory))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $fields (canon lower (func $types "[constructor]fields")))
  (core func $response (canon lower (func $types "[constructor]outgoing-response")))
  (core func $status (canon lower
    (func $types "[method]outgoing-response.set-status-code")))
  (core func $set (canon lower (func $types "[static]response-outparam.set") (memory $memory)))
  (core func $append (canon lower (func $types "[method]fields.append") (memory $memory)))
  (core func $body (canon lower (func $types "[method]outgoing-response.body") (memory $memory)))
  (core func $write (canon lower (func $types "[method]outgoing-body.write") (memory $memory)))
  (core func $flush (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))
  (core func $queue (canon lower
    (func $streams "[method]output-stream.write") (memory $memory)))
  (core func $stderr (canon lower (func $log "get-stderr")))
  (core func $close (canon resource.drop $output))
  (core func $finish (canon lower (func $types "[static]outgoing-body.finish") (memory $memory)
    (realloc $realloc)))
  (core func $consume (canon lower (func $types "[method]incoming-request.consume") (memory $memory)))
  (core func $stream (canon lower (func $types "[method]incoming-body.stream") (memory $memory)))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read") (memory $memory)
    (realloc $realloc)))

  (core module $handler
    (import "" "memory" (memory 1))
    (import "" "fields" (func $fields (result i32)))
    (import "" "response" (func $response (param i32) (result i32)))
    (import "" "status" (func $status (param i32 i32) (result i32)))
    (import "" "set" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "" "body" (func $body (param i32 i32)))
    (import "" "write" (func $write (param i32 i32)))
    (import "" "flush" (func $flush (param i32 i32 i32 i32)))
    (import "" "queue" (func $queue (param i32 i32 i32 i32)))
    (import "" "stderr" (func $stderr (result i32)))
    (import "" "close" (func $close (param i32)))
    (import "" "finish" (func $finish (param i32 i32 i32 i32)))
    (import "" "consume" (func $consume (param i32 i32)))
    (import "" "stream" (func $stream (param i32 i32)))
    (import "" "read" (func $read (param i32 i64 i32)))

    (global $made (mut i32) (i32.const 0))
    (global $content (mut i32) (i32.const 0))
    (global $stream (mut i32) (i32.const 0))

    ;; Answers with a status and no content.
    (func $answer (param $out i32) (param $code i32)
      (global.set $made (call $response (call $fields)))
      (drop (call $status (global.get $made) (local.get $code)))
      (call $send (local.get $out)))

    ;; Makes a response with the header `content-length: $digit`.
    (func $announce (param $digit i32)
      (local $fields i32)
      (local.set $fields (call $fields))
      (i32.store8 (i32.const 2072) (i32.add (local.get $digit) (i32.const 48)))
      (call $append (local.get $fields) (i32.const 2048) (i32.const 14)
        (i32.const 2072) (i32.const 1) (i32.const 0))
      (global.set $made (call $response (local.get $fields))))

    ;; Opens the content of that response.
    (func $open
      (call $body (global.get $made) (i32.const 0))
      (global.set $content (i32.load (i32.const 4)))
      (call $write (global.get $content) (i32.const 0))
      (global.set $stream (i32.load (i32.const 4))))

    ;; Writes `abc`, and waits until the host accepts a further write.
    (func $abc
      (call $flush (global.get $stream) (i32.const 2080) (i32.const 3) (i32.const 0)))

    ;; Writes `abc` without waiting.
    (func $abc-queued
      (call $queue (global.get $stream) (i32.const 2080) (i32.const 3) (i32.const 0)))

    (func $send (param $out i32)
      (call $set (local.get $out) (i32.const 0) (global.get $made)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))

    ;; Ends the content.
    (func $end
      (call $close (global.get $stream))
      (call $finish (global.get $content) (i32.const 0) (i32.const 0) (i32.const 0)))

    ;; Waits for the first byte of the request's content; 0 if there is none.
    ;; The host writes results to address 0, and their value to address 4.
    (func $first-byte (param $request i32) (result i32)
      (call $consume (local.get $request) (i32.const 0))
      (call $stream (i32.load (i32.const 4)) (i32.const 0))
      (call $read (i32.load (i32.const 4)) (i64.const 1) (i32.const 0))
      (if (result i32) (i32.load8_u (i32.const 0))
        (then (i32.const 0))
        (else (i32.load8_u (i32.load (i32.const 4))))))

    HANDLER)
  (core instance $handler (instantiate $handler (with "" (instance
    (export "memory" (memory $memory))
    (export "fields" (func $fields))
    (export "response" (func $response))
    (export "status" (func $status))
    (export "set" (func $set))
    (export "append" (func $append))
    (export "body" (func $body))
    (export "write" (func $write))
    (export "flush" (func $flush))
    (export "queue" (func $queue))
    (export "stderr" (func $stderr))
    (export "close" (func $close))
    (export "finish" (func $finish))
    (export "consume" (func $consume))
    (export "stream" (func $stream))
    (export "read" (func $read))))))

  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $handler "handle")))
  (instance $exported (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $exported)))
