{{/* As what the pods run, and where the chart refuses root. */}}

{{/* "0" also where nothing names a user: a Wasm artifact has none of its own. */}}
{{- define "swiss.user" -}}
{{- $pod := .Values.podSecurityContext | default dict }}
{{- $container := .Values.securityContext | default dict }}
{{- $user := eq .Values.image.packaging "spin" | ternary 0 65532 }}
{{- if $pod }}
{{- $user = $pod.runAsUser | default 0 }}
{{- end }}
{{- if hasKey $container "runAsUser" }}
{{- $user = $container.runAsUser }}
{{- end }}
{{- int64 $user }}
{{- end }}

{{/* Empty if the kubelet refuses root, which it does with runAsNonRoot. */}}
{{- define "swiss.root" -}}
{{- $pod := .Values.podSecurityContext | default dict }}
{{- $container := .Values.securityContext | default dict }}
{{- $nonRoot := $pod.runAsNonRoot }}
{{- if hasKey $container "runAsNonRoot" }}
{{- $nonRoot = $container.runAsNonRoot }}
{{- end }}
{{- if and (eq (include "swiss.user" .) "0") (not $nonRoot) }}
{{- if or .Values.podSecurityContext (hasKey $container "runAsUser") }}
{{- "the security context names no other user" }}
{{- else }}
{{- "image.packaging is spin, whose artifact the shim unpacks into a root directory that belongs to root" }}
{{- end }}
{{- end }}
{{- end }}

{{/* What to do so that the pods run as user 65532. */}}
{{- define "swiss.nonRoot" -}}
{{- if eq .Values.image.packaging "spin" -}}
push the component artifact (`make push`) and set image.packaging=component
{{- else -}}
leave podSecurityContext and securityContext empty, or set runAsUser in them to 65532
{{- end }}
{{- end }}

{{- define "swiss.validateRoot" -}}
{{- $reason := include "swiss.root" . }}
{{- $better := include "swiss.nonRoot" . }}
{{- if hasKey .Values "allowRoot" | and $reason (not .Values.allowRoot) }}
{{- fail (printf "\n\nallowRoot is false, but the pods would run as root: %s. To run them as user 65532, %s. To run them as root, set allowRoot=true." $reason $better) }}
{{- end }}
{{- range .Values.extraContainers }}
{{- $user := ((.securityContext | default dict).runAsUser) }}
{{- if and (hasKey $.Values "allowRoot") (not $.Values.allowRoot) (eq (toString $user) "0") }}
{{- fail (printf "\n\nallowRoot is false, but extraContainers %s has securityContext.runAsUser 0. Give it another user, or set allowRoot=true." .name) }}
{{- end }}
{{- end }}
{{- if and $reason (.Values.lookup).namespace }}
{{- $namespace := include "swiss.namespace" . }}
{{- $level := dig "metadata" "labels" "pod-security.kubernetes.io/enforce" "" (lookup "v1" "Namespace" "" $namespace) }}
{{- if eq $level "restricted" }}
{{- fail (printf "\n\nThe namespace %s enforces Pod Security `restricted`, which refuses pods that run as root, as these would: %s. To run them as user 65532, %s." $namespace $reason $better) }}
{{- end }}
{{- end }}
{{- end }}

{{/* One line for the notes: as what the pods run, and how to do better. */}}
{{- define "swiss.securityNote" -}}
{{- $packaging := .Values.image.packaging }}
{{- if include "swiss.root" . -}}
the pods run as root, because {{ include "swiss.root" . }}. To run them as user 65532, {{ include "swiss.nonRoot" . }}.
{{- else if or .Values.podSecurityContext .Values.securityContext -}}
the pods do not run as root. podSecurityContext or securityContext replaces the default for image.packaging={{ $packaging }}; the chart's README.md lists what works with it.
{{- else -}}
the pods run as user {{ include "swiss.user" . }} with a read-only root directory and comply with Pod Security "restricted". The image must be packaged as {{ $packaging }}: a Spin artifact would exit with code 137.
{{- end }}
{{- end }}
