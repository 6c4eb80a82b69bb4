;; The minimum that a component must do to answer, written by hand: the yardstick.
;; It answers /will, gives all other paths the response of /ready, and implements
;; neither methods nor 404, so it is not a product.
;;
;; Memory and realloc are a module of their own. In the module that imports the
;; host functions, they would require two more modules and a table.
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))

  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $io-error (type $outer-error))
    (export "error" (type $error (eq $outer-error)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))

  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type $request (sub resource)))
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-response" (type $response (sub resource)))
    (export "outgoing-body" (type $body (sub resource)))
    (export "response-outparam" (type $outparam (sub resource)))
    (alias outer 1 $output-stream (type $outer-stream))
    (export "output-stream" (type $stream (eq $outer-stream)))
    (type $header-error' (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $header-error (eq $header-error')))
    (type $dns' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $dns')))
    (type $alert' (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $alert (eq $alert')))
    (type $field' (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $field (eq $field')))
    (type $error-code' (variant
      (case "DNS-timeout") (case "DNS-error" $dns)
      (case "destination-not-found") (case "destination-unavailable")
      (case "destination-IP-prohibited") (case "destination-IP-unroutable")
      (case "connection-refused") (case "connection-terminated") (case "connection-timeout")
      (case "connection-read-timeout") (case "connection-write-timeout")
      (case "connection-limit-reached")
      (case "TLS-protocol-error") (case "TLS-certificate-error")
      (case "TLS-alert-received" $alert)
      (case "HTTP-request-denied") (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64))
      (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32))
      (case "HTTP-request-header-size" (option $field))
      (case "HTTP-request-trailer-section-size" (option u32))
      (case "HTTP-request-trailer-size" $field)
      (case "HTTP-response-incomplete")
      (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $field)
      (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32))
      (case "HTTP-response-trailer-size" $field)
      (case "HTTP-response-transfer-coding" (option string))
      (case "HTTP-response-content-coding" (option string))
      (case "HTTP-response-timeout")
      (case "HTTP-upgrade-failed") (case "HTTP-protocol-error")
      (case "loop-detected") (case "configuration-error")
      (case "internal-error" (option string))))
    (export "error-code" (type $error-code (eq $error-code')))
    (export "[method]incoming-request.path-with-query" (func
      (param "self" (borrow $request)) (result (option string))))
    (export "[static]fields.from-list" (func
      (param "entries" (list (tuple string (list u8))))
      (result (result (own $fields) (error $header-error)))))
    (export "[constructor]outgoing-response" (func
      (param "headers" (own $fields)) (result (own $response))))
    (export "[method]outgoing-response.body" (func
      (param "self" (borrow $response)) (result (result (own $body)))))
    (export "[method]outgoing-body.write" (func
      (param "self" (borrow $body)) (result (result (own $stream)))))
    (export "[static]outgoing-body.finish" (func
      (param "this" (own $body)) (param "trailers" (option (own $fields)))
      (result (result (error $error-code)))))
    (export "[static]response-outparam.set" (func
      (param "param" (own $outparam))
      (param "response" (result (own $response) (error $error-code)))))))
  (alias export $types "incoming-request" (type $incoming-request))
  (alias export $types "response-outparam" (type $response-outparam))

  (core module $Memory
    (memory (export "m") 1)
    ;; The host allocates memory only for the path, behind all other data.
    (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    ;; Two lists of two headers, as (name, value), each as (address, length).
    (data (i32.const 64)
      "\00\01\00\00" "\0c\00\00\00" "\10\01\00\00" "\10\00\00\00"
      "\20\01\00\00" "\0e\00\00\00" "\30\01\00\00" "\02\00\00\00"
      "\00\01\00\00" "\0c\00\00\00" "\10\01\00\00" "\10\00\00\00"
      "\20\01\00\00" "\0e\00\00\00" "\32\01\00\00" "\02\00\00\00")
    (data (i32.const 256) "content-type\00\00\00\00application/jsoncontent-length\00\001412")
    (data (i32.const 320) "\22Hello World\22\0a\00\00\22It works!\22\0a"))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "m" (core memory $m))
  (alias core export $memory "r" (core func $r))

  (core func $path (canon lower
    (func $types "[method]incoming-request.path-with-query") (memory (core memory $m)) (realloc (core func $r))))
  (core func $from-list (canon lower (func $types "[static]fields.from-list") (memory (core memory $m))))
  (core func $new (canon lower (func $types "[constructor]outgoing-response")))
  (core func $body (canon lower (func $types "[method]outgoing-response.body") (memory (core memory $m))))
  (core func $open (canon lower (func $types "[method]outgoing-body.write") (memory (core memory $m))))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $m))))
  (core func $finish (canon lower
    (func $types "[static]outgoing-body.finish") (memory (core memory $m)) (realloc (core func $r))))
  (core func $set (canon lower (func $types "[static]response-outparam.set") (memory (core memory $m))))
  (core func $drop-request (canon resource.drop $incoming-request))
  (core func $drop-stream (canon resource.drop $output-stream))

  (core module $Main
    (import "" "m" (memory 1))
    (import "" "p" (func $path (param i32 i32)))
    (import "" "l" (func $from-list (param i32 i32 i32)))
    (import "" "n" (func $new (param i32) (result i32)))
    (import "" "b" (func $body (param i32 i32)))
    (import "" "o" (func $open (param i32 i32)))
    (import "" "w" (func $write (param i32 i32 i32 i32)))
    (import "" "f" (func $finish (param i32 i32 i32 i32)))
    (import "" "s" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "" "d" (func $drop-request (param i32)))
    (import "" "e" (func $drop-stream (param i32)))
    ;; Host calls write their results to address 0, with a handle at address 4.
    (func (export "h") (param $request i32) (param $out i32)
      (local $will i32) (local $response i32) (local $body i32)
      (call $path (local.get $request) (i32.const 0))
      (call $drop-request (local.get $request))
      (local.set $will
        (i32.eq (i32.load8_u offset=1 (i32.load offset=4 (i32.const 0))) (i32.const 0x77)))
      (call $from-list
        (select (i32.const 64) (i32.const 96) (local.get $will)) (i32.const 2) (i32.const 0))
      (call $body
        (local.tee $response (call $new (i32.load offset=4 (i32.const 0)))) (i32.const 0))
      (call $open (local.tee $body (i32.load offset=4 (i32.const 0))) (i32.const 0))
      (call $write
        (i32.load offset=4 (i32.const 0))
        (select (i32.const 320) (i32.const 336) (local.get $will))
        (select (i32.const 14) (i32.const 12) (local.get $will))
        (i32.const 16))
      (call $drop-stream (i32.load offset=4 (i32.const 0)))
      (call $finish (local.get $body) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $set
        (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
  (core instance $main (instantiate $Main (with "" (instance
    (export "m" (memory $m))
    (export "p" (func $path))
    (export "l" (func $from-list))
    (export "n" (func $new))
    (export "b" (func $body))
    (export "o" (func $open))
    (export "w" (func $write))
    (export "f" (func $finish))
    (export "s" (func $set))
    (export "d" (func $drop-request))
    (export "e" (func $drop-stream))))))

  (func $handle
    (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "h")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
