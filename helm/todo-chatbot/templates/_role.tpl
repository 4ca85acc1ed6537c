{{/*
What the four roles share. Each is called with a dict: `root`, `name` (the role, its app id and its component), `port`,
`callers` (the components that may reach it), `secrets` (whether its daprd reads the Secret).
*/}}
{{- define "todo.role" -}}
{{- include "todo.role.account" . }}
---
{{ include "todo.role.deployment" . }}
---
{{ include "todo.role.service" . }}
---
{{ include "todo.role.disruption" . }}
{{- if (index .root.Values .name).autoscaling.enabled }}
---
{{ include "todo.role.autoscaler" . }}
{{- end }}
{{- if .root.Values.networkPolicy.enabled }}
---
{{ include "todo.role.network" . }}
{{- end }}
{{- end }}

{{- define "todo.role.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
{{- /* A role itself never asks the API server; its daprd does, to read the Secret, and gets the token from here. */}}
automountServiceAccountToken: {{ .secrets }}
{{- if .secrets }}
---
# The secret store of its daprd reads this one Secret, and no list of them.
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "todo.name" (list .root "app-secrets-reader") }}
subjects:
  - kind: ServiceAccount
    name: {{ include "todo.name" (list .root .name) }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
{{- end }}

{{- define "todo.role.deployment" -}}
{{- $values := index .root.Values .name -}}
{{- $dapr := .root.Values.dapr -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  # A new pod is ready before an old one is told to stop.
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "todo.selector" (list .root .name) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "todo.labels" (list .root .name) | nindent 8 }}
      annotations:
        dapr.io/enabled: "true"
        dapr.io/app-id: {{ .name }}
        dapr.io/app-port: {{ .root.Values.appPort | quote }}
        dapr.io/app-protocol: grpc
        dapr.io/config: todo
        dapr.io/app-token-secret: {{ .root.Values.tokens.app }}
        dapr.io/api-token-secret: {{ .root.Values.tokens.dapr }}
        # Nothing is delivered to an app that cannot handle it, such as while the database is away.
        dapr.io/enable-app-health-check: "true"
        dapr.io/app-health-probe-interval: "3"
        dapr.io/app-health-threshold: "2"
        # daprd must outlive its role, which needs it until its last call and event are done; it goes on until the role
        # is not healthy any more, this long at most.
        dapr.io/block-shutdown-duration: {{ $dapr.blockShutdownDuration | quote }}
        # Then it has this long for its own end; for ever, unless said.
        dapr.io/graceful-shutdown-seconds: "15"
        # What is not in the component `kubernetes-secrets` cannot be read through daprd.
        dapr.io/disable-builtin-k8s-secret-store: "true"
        dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
        # A daprd reads its components and configuration when it starts.
        checksum/dapr-components: {{ include "todo.daprChecksum" .root }}
        dapr.io/log-level: {{ $dapr.logLevel }}
        dapr.io/log-as-json: "true"
        {{- range $kind, $amounts := $dapr.resources }}
        {{- range $what, $amount := $amounts }}
        dapr.io/sidecar-{{ $what }}-{{ trimSuffix "s" $kind }}: {{ $amount | quote }}
        {{- end }}
        {{- end }}
        {{- if and .root.Values.metrics.enabled .root.Values.metrics.annotations }}
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ .root.Values.metrics.port | quote }}
        prometheus.io/path: /metrics
        {{- end }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "todo.name" (list .root .name) }}
      automountServiceAccountToken: {{ .secrets }}
      enableServiceLinks: false
      # The delay, up to 30 s of draining, then daprd's probes and its own end.
      terminationGracePeriodSeconds: 60
      securityContext:
        {{- include "todo.podSecurity" 65532 | nindent 8 }}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          {{- include "todo.image" (list .root $values) | nindent 10 }}
          args: [{{ .name }}]
          ports:
            - {name: http, containerPort: {{ .port }}}
            {{- if .root.Values.metrics.enabled }}
            - {name: metrics, containerPort: {{ .root.Values.metrics.port }}}
            {{- end }}
          env:
            - {name: LISTEN_ADDR, value: "0.0.0.0:{{ .port }}"}
            - {name: APP_PORT, value: {{ .root.Values.appPort | quote }}}
            - {name: SECRET_GROUP, value: {{ .root.Values.secrets.name }}}
            - name: APP_API_TOKEN
              valueFrom: {secretKeyRef: {name: {{ .root.Values.tokens.app }}, key: token}}
            - name: DAPR_API_TOKEN
              valueFrom: {secretKeyRef: {name: {{ .root.Values.tokens.dapr }}, key: token}}
            {{- if .root.Values.metrics.enabled }}
            - {name: METRICS_ADDR, value: "0.0.0.0:{{ .root.Values.metrics.port }}"}
            {{- end }}
            {{- with .root.Values.tracing.otlp.endpoint }}
            - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
            - {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
            - {name: OTEL_TRACES_SAMPLER_ARG, value: {{ $.root.Values.tracing.samplingRatio | quote }}}
            {{- end }}
            {{- /* logLevel is LOG_LEVEL. */}}
            {{- range $name, $value := merge (dict) $values.config (.config | default dict) }}
            {{- if not (kindIs "invalid" $value) }}
            - {name: {{ $name | snakecase | upper }}, value: {{ $value | toString | quote }}}
            {{- end }}
            {{- end }}
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          # While it lives; what it lacks is no reason to restart it.
          livenessProbe:
            httpGet: {path: /health, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          # Whether it can serve, and is not about to stop.
          readinessProbe:
            httpGet: {path: /ready, port: http}
            periodSeconds: 2
            timeoutSeconds: 2
          securityContext:
            {{- include "todo.containerSecurity" . | nindent 12 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
      {{- with .root.Values.topologySpread }}
      topologySpreadConstraints:
        {{- range . }}
        - labelSelector:
            matchLabels:
              {{- include "todo.selector" (list $.root $.name) | nindent 14 }}
          {{- toYaml . | nindent 10 }}
        {{- end }}
      {{- end }}
      {{- with .root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{- define "todo.daprChecksum" -}}
{{- $all := "" -}}
{{- range list "bindings" "configuration" "pubsub" "resiliency" "secrets" "statestore" -}}
{{- $all = print $all (include (printf "%s/dapr-components/%s.yaml" $.Template.BasePath .) $) -}}
{{- end -}}
{{- sha256sum $all -}}
{{- end }}

{{- define "todo.role.service" -}}
{{- $service := (index .root.Values .name).service -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "todo.metadata" (list .root (.service | default (printf "%s-svc" .name)) .name) | nindent 2 }}
  {{- with $service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $service.type }}
  selector:
    {{- include "todo.selector" (list .root .name) | nindent 4 }}
  ports:
    - name: http
      port: {{ $service.port }}
      targetPort: http
      {{- if and (eq $service.type "NodePort") $service.nodePort }}
      nodePort: {{ $service.nodePort }}
      {{- end }}
{{- end }}

{{- define "todo.role.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
spec:
  # Not `minAvailable`: with one replica that would keep its node from ever being drained.
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "todo.selector" (list .root .name) | nindent 6 }}
{{- end }}

{{- define "todo.role.autoscaler" -}}
{{- $autoscaling := (index .root.Values .name).autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "todo.name" (list .root .name) }}}
  minReplicas: {{ $autoscaling.minReplicas }}
  maxReplicas: {{ $autoscaling.maxReplicas }}
  metrics:
    # The role's own container: daprd's would blur it.
    - type: ContainerResource
      containerResource:
        container: {{ .name }}
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $autoscaling.cpuPercent }}}
{{- end }}

{{- define "todo.role.network" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "todo.metadata" (list .root .name) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "todo.selector" (list .root .name) | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    {{- if .callers }}
    # From daprd to daprd, and past them where a URL is set; the port for its own daprd is on loopback.
    - from:
        {{- include "todo.peers" (list .root (append .callers "test")) | nindent 8 }}
      ports:
        - {port: 50002}
        - {port: {{ .port }}}
    {{- else }}
    - {{ with .root.Values.networkPolicy.gatewayFrom -}}
      from:
        {{- toYaml . | nindent 8 }}
        {{- include "todo.peers" (list $.root (list "test")) | nindent 8 }}
      {{ end -}}
      ports:
        - {port: {{ .port }}}
    {{- end }}
    {{- with .root.Values.networkPolicy.metricsFrom }}
    - from:
        {{- toYaml . | nindent 8 }}
      ports:
        - {port: 9090}
        {{- if $.root.Values.metrics.enabled }}
        - {port: {{ $.root.Values.metrics.port }}}
        {{- end }}
    {{- end }}
{{- end }}
