// Package tests keeps the Gateway API among the requirements of this module: the
// tests judge HTTPRoute and Gateway objects by the schemas that it ships.
package tests

import _ "sigs.k8s.io/gateway-api/apis/v1"
