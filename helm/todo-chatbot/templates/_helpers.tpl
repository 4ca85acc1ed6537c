{{/* The name of an object. Releases that are not called as the chart are told apart. Use: (list . "backend") */}}
{{- define "todo.name" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Release.Name "todo-chatbot" }}{{ index . 1 }}{{ else }}{{ printf "%s-%s" $root.Release.Name (index . 1) | trunc 63 }}{{ end -}}
{{- end }}

{{/* What finds the pods of a component; never changes. Use: (list . "backend") */}}
{{- define "todo.selector" -}}
app.kubernetes.io/name: todo
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "todo.labels" -}}
{{ include "todo.selector" . }}
app.kubernetes.io/part-of: todo-chatbot
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{/* Of an object that is called as its component, or else: (list . "backend-svc" "backend") */}}
{{- define "todo.metadata" -}}
name: {{ include "todo.name" . }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "todo.labels" (list (index . 0) (last .)) | nindent 2 }}
{{- end }}

{{/* An image by the values of a component, else by those of all. Use: (list . .Values.backend) */}}
{{- define "todo.image" -}}
{{- $all := (index . 0).Values.image -}}
{{- $own := (index . 1).image | default dict -}}
image: {{ printf "%s:%s" ($own.repository | default $all.repository) ($own.tag | default $all.tag | default (index . 0).Chart.AppVersion) | quote }}
imagePullPolicy: {{ $all.pullPolicy }}
{{- end }}

{{/* The whole of Pod Security's profile "restricted", for a user id. */}}
{{- define "todo.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "todo.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Pods of the components of a list, as peers of a NetworkPolicy. Use: (list . (list "backend" "gateway")) */}}
{{- define "todo.peers" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: todo
      app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: [{{ join ", " (index . 1) }}]}
{{- end }}

{{/* A value that is made once: what the cluster has under that key, else a new one. Use: (list . secret key) */}}
{{- define "todo.made" -}}
{{- $have := lookup "v1" "Secret" (index . 0).Release.Namespace (index . 1) -}}
{{- dig "data" (index . 2) "" $have | default (randAlphaNum 48 | b64enc) -}}
{{- end }}

{{- define "todo.redisHost" -}}
{{- if .Values.redis.enabled }}{{ include "todo.name" (list . "redis-svc") }}:6379
{{- else }}{{ required "redis.enabled=false needs redis.external.host, as host:port" .Values.redis.external.host }}{{ end -}}
{{- end }}

{{/* The Secret with Redis's password, under the key `password`; empty where there is none. */}}
{{- define "todo.redisSecret" -}}
{{- if .Values.redis.existingSecret }}{{ .Values.redis.existingSecret }}
{{- else if .Values.redis.enabled }}{{ include "todo.name" (list . "redis-password") }}{{ end -}}
{{- end }}

{{/* How every component of Dapr reaches Redis. */}}
{{- define "todo.redisMetadata" -}}
- {name: redisHost, value: {{ include "todo.redisHost" . | quote }}}
{{- with include "todo.redisSecret" . }}
- name: redisPassword
  secretKeyRef: {name: {{ . }}, key: password}
{{- end }}
{{- if not .Values.redis.enabled }}
{{- with .Values.redis.external.username }}
- {name: redisUsername, value: {{ . | quote }}}
{{- end }}
- {name: enableTLS, value: {{ .Values.redis.external.tls | quote }}}
{{- end }}
{{- end }}

{{/* Redis and Postgres: reached by those who use them, and themselves reaching no one. */}}
{{- define "todo.storeNetwork" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "todo.selector" (list .root .name) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        {{- include "todo.peers" (list .root .callers) | nindent 8 }}
      ports:
        - {port: {{ .port }}}
{{- end }}
