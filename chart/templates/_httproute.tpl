{{/*
An HTTPRoute with the defaults of the Gateway API. Argo CD compares the lists of a custom
resource item by item, so a default that only the API server adds is a difference for ever.
*/}}

{{- define "swiss.parentRefs" -}}
{{- $parents := list }}
{{- range . }}
{{- $default := dict "group" "gateway.networking.k8s.io" "kind" "Gateway" }}
{{- $parents = append $parents (include "swiss.merged" (list $default .) | fromYaml) }}
{{- end }}
{{- toYaml $parents }}
{{- end }}

{{/* A rule of httpRoute.rules. */}}
{{- define "swiss.httpRule" -}}
{{- $rule := deepCopy . }}
{{- $matches := list }}
{{- range .matches | default (list dict) }}
{{- $match := deepCopy . }}
{{- $_ := set $match "path" (include "swiss.merged" (list (dict "type" "PathPrefix" "value" "/") .path) | fromYaml) }}
{{- range $kind := list "headers" "queryParams" }}
{{- $conditions := list }}
{{- range index $match $kind }}
{{- $conditions = append $conditions (include "swiss.merged" (list (dict "type" "Exact") .) | fromYaml) }}
{{- end }}
{{- with $conditions }}
{{- $_ := set $match $kind . }}
{{- end }}
{{- end }}
{{- $matches = append $matches $match }}
{{- end }}
{{- $_ := set $rule "matches" $matches }}
{{- $filters := list }}
{{- range .filters }}
{{- $filters = append $filters (include "swiss.httpFilter" . | fromYaml) }}
{{- end }}
{{- with $filters }}
{{- $_ := set $rule "filters" . }}
{{- end }}
{{- toYaml $rule }}
{{- end }}

{{- define "swiss.httpFilter" -}}
{{- $filter := deepCopy . }}
{{- with .cors }}
{{- $_ := set $filter "cors" (include "swiss.merged" (list (dict "maxAge" 5) .) | fromYaml) }}
{{- end }}
{{- with .requestRedirect }}
{{- $_ := set $filter "requestRedirect" (include "swiss.merged" (list (dict "statusCode" 302) .) | fromYaml) }}
{{- end }}
{{- with .requestMirror }}
{{- $mirror := deepCopy . }}
{{- $backend := dict "group" "" "kind" "Service" }}
{{- $_ := set $mirror "backendRef" (include "swiss.merged" (list $backend .backendRef) | fromYaml) }}
{{- with .fraction }}
{{- $_ := set $mirror "fraction" (include "swiss.merged" (list (dict "denominator" 100) .) | fromYaml) }}
{{- end }}
{{- $_ := set $filter "requestMirror" $mirror }}
{{- end }}
{{- toYaml $filter }}
{{- end }}
