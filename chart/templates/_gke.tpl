{{/* GKE's load balancers. */}}

{{/* The class of GKE's Ingress controller, or nothing. It reads only the annotation. */}}
{{- define "swiss.gceClass" -}}
{{- $class := get (.Values.ingress.annotations | default dict) "kubernetes.io/ingress.class" | default .Values.ingress.className }}
{{- if and .Values.ingress.enabled (has $class (list "gce" "gce-internal")) }}
{{- $class }}
{{- end }}
{{- end }}

{{/* Annotations of the Service: yours, before those that GKE's Ingress controller reads. */}}
{{- define "swiss.serviceAnnotations" -}}
{{- $gce := dict }}
{{- if include "swiss.gceClass" . }}
{{- $_ := set $gce "cloud.google.com/neg" (dict "ingress" true | toJson) }}
{{- $_ := set $gce "cloud.google.com/backend-config" (dict "default" (include "swiss.fullname" .) | toJson) }}
{{- end }}
{{- include "swiss.merged" (list $gce .Values.commonAnnotations .Values.service.annotations) }}
{{- end }}

{{- define "swiss.ingressAnnotations" -}}
{{- $gceValues := .Values.ingress.gce | default dict }}
{{- $gce := dict }}
{{- with include "swiss.gceClass" . }}
{{- $_ := set $gce "kubernetes.io/ingress.class" . }}
{{- if dig "frontendConfig" dict $gceValues }}
{{- $_ := set $gce "networking.gke.io/v1beta1.FrontendConfig" (include "swiss.fullname" $) }}
{{- end }}
{{- if dig "managedCertificate" "domains" list $gceValues }}
{{- $_ := set $gce "networking.gke.io/managed-certificates" (include "swiss.fullname" $) }}
{{- end }}
{{- end }}
{{- include "swiss.merged" (list $gce .Values.commonAnnotations .Values.ingress.annotations) }}
{{- end }}

{{- define "swiss.validateGce" -}}
{{- $gce := .Values.ingress.gce | default dict }}
{{- $class := include "swiss.gceClass" . }}
{{- if and .Values.ingress.className (not $class) (hasKey (.Values.ingress.annotations | default dict) "kubernetes.io/ingress.class") }}
{{- fail "\n\ningress.className and the annotation kubernetes.io/ingress.class are both set, which Kubernetes refuses. Remove one of them." }}
{{- end }}
{{- if and (or $gce.frontendConfig (dig "managedCertificate" "domains" list $gce)) (ne $class "gce") }}
{{- fail "\n\ningress.gce.frontendConfig and ingress.gce.managedCertificate need ingress.enabled and ingress.className=gce: only GKE's external Application Load Balancer has them." }}
{{- end }}
{{- end }}

{{/* Google's API refuses a health check whose timeout is longer than its interval. */}}
{{- define "swiss.validateHealthChecks" -}}
{{- $checks := dict "httpRoute.healthCheckPolicy" .Values.httpRoute.healthCheckPolicy "ingress.gce.healthCheck" (dig "gce" "healthCheck" dict .Values.ingress) }}
{{- range $name, $check := $checks }}
{{- if gt (int $check.timeoutSec) (int $check.checkIntervalSec) }}
{{- fail (printf "\n\n%s.timeoutSec is %d, which is more than checkIntervalSec, %d: Google's API refuses that. Set both." $name (int $check.timeoutSec) (int $check.checkIntervalSec)) }}
{{- end }}
{{- end }}
{{- end }}
