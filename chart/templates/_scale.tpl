{{/* The number of pods, and what may not go below it. */}}

{{- define "swiss.isScaledByOthers" -}}
{{- if or .Values.autoscaling.enabled (kindIs "invalid" .Values.replicaCount) }}true{{ end }}
{{- end }}

{{/*
The number of replicas, or nothing. When an autoscaler takes over, `replicas` cannot just
vanish: Helm would remove the field, and the API server's default is one pod, until the
autoscaler's next turn. So a Deployment that had the field keeps its present number.
One that never had it has an annotation that says so, and needs no number.
The lookup reads only the Deployment, which Helm itself must be able to read.
*/}}
{{- define "swiss.replicas" -}}
{{- if include "swiss.isScaledByOthers" . }}
{{- $live := lookup "apps/v1" "Deployment" (include "swiss.namespace" .) (include "swiss.fullname" .) | default dict }}
{{- if and $live (not (hasKey (dig "metadata" "annotations" dict $live) (include "swiss.scaledByOthers" .))) }}
{{- int64 $live.spec.replicas }}
{{- end }}
{{- else }}
{{- int64 .Values.replicaCount }}
{{- end }}
{{- end }}

{{/* The annotation of a Deployment whose manifest has no `replicas`. */}}
{{- define "swiss.scaledByOthers" -}}
{{ .Chart.Name }}/replicas
{{- end }}

{{- define "swiss.validateScale" -}}
{{- $scale := .Values.autoscaling }}
{{- if $scale.enabled }}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) }}
{{- fail (printf "\n\nautoscaling.minReplicas is %d, which is more than autoscaling.maxReplicas, %d. Raise maxReplicas." (int $scale.minReplicas) (int $scale.maxReplicas)) }}
{{- end }}
{{- if kindIs "invalid" $scale.targetCPUUtilizationPercentage }}
{{- if not $scale.metrics }}
{{- fail "\n\nautoscaling.enabled needs a metric. Set autoscaling.targetCPUUtilizationPercentage or autoscaling.metrics." }}
{{- end }}
{{- else if not (dig "requests" "cpu" "" (.Values.resources | default dict)) }}
{{- fail "\n\nautoscaling.enabled needs resources.requests.cpu: the autoscaler's target is a percentage of it." }}
{{- end }}
{{- end }}
{{- $strategy := .Values.strategy }}
{{- if and (eq $strategy.type "Recreate") $strategy.rollingUpdate }}
{{- fail "\n\nstrategy.type=Recreate takes no strategy.rollingUpdate: set it to null." }}
{{- end }}
{{- with $strategy.rollingUpdate }}
{{- if and (has (toString .maxUnavailable) (list "0" "0%")) (has (toString .maxSurge) (list "0" "0%")) }}
{{- fail "\n\nstrategy.rollingUpdate.maxUnavailable and maxSurge are both 0, so no pod could ever be replaced. Set maxSurge to 1." }}
{{- end }}
{{- end }}
{{- if and .Values.progressDeadlineSeconds (le (int .Values.progressDeadlineSeconds) (int .Values.minReadySeconds)) }}
{{- fail (printf "\n\nprogressDeadlineSeconds is %d and minReadySeconds is %d. Kubernetes refuses a deadline that is not longer: raise progressDeadlineSeconds." (int .Values.progressDeadlineSeconds) (int .Values.minReadySeconds)) }}
{{- end }}
{{- end }}

{{/* Refuses a budget that lets no pod be evicted, so that no node could ever be drained. */}}
{{- define "swiss.validateBudget" -}}
{{- $budget := .Values.podDisruptionBudget }}
{{- if $budget.enabled }}
{{- $min := kindIs "invalid" $budget.minAvailable | not }}
{{- $max := kindIs "invalid" $budget.maxUnavailable | not }}
{{- if eq $min $max }}
{{- fail "\n\npodDisruptionBudget takes either minAvailable or maxUnavailable. Set one of them, and the other to null." }}
{{- end }}
{{- $or := "or set podDisruptionBudget.mayBlockDrains to true if you want that" }}
{{- if $budget.mayBlockDrains }}
{{- else if $max }}
{{- if eq (int (trimSuffix "%" (toString $budget.maxUnavailable))) 0 }}
{{- fail (printf "\n\npodDisruptionBudget.maxUnavailable is %v, so no node could ever be drained. Set it to 1, %s." $budget.maxUnavailable $or) }}
{{- end }}
{{- else if and (kindIs "string" $budget.minAvailable) (ge (int (trimSuffix "%" $budget.minAvailable)) 100) }}
{{- fail (printf "\n\npodDisruptionBudget.minAvailable is %s, so no node could ever be drained. Lower it, %s." $budget.minAvailable $or) }}
{{- else }}
{{- /* The smallest number of pods. Without replicaCount, only the autoscaler knows it. */}}
{{- $pods := .Values.autoscaling.enabled | ternary .Values.autoscaling.minReplicas (.Values.replicaCount | default 0) | int }}
{{- $available := int $budget.minAvailable }}
{{- if kindIs "string" $budget.minAvailable }}
{{- /* Kubernetes rounds up: 67% of 3 pods is 3. */}}
{{- $available = div (add (mul (int (trimSuffix "%" $budget.minAvailable)) $pods) 99) 100 }}
{{- end }}
{{- if and (gt $pods 0) (ge (int $available) $pods) }}
{{- fail (printf "\n\npodDisruptionBudget.minAvailable is %v, which is %d of the minimum number of pods, %d, so no node could ever be drained. Lower minAvailable, run more pods, %s." $budget.minAvailable (int $available) $pods $or) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
