{{- define "gpu-sharing.labels" -}}
app.kubernetes.io/name: gpu-sharing
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "gpu-sharing.selector" -}}
app.kubernetes.io/name: gpu-sharing
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gpu-sharing.image" -}}
{{- $missing := "image.repository is empty: build the image from the Dockerfile, push it to your registry and name it, for example --set image.repository=registry.example.org/gpu-sharing" -}}
{{- $repository := required $missing .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Restricted pod security, for both Deployments. */}}
{{- define "gpu-sharing.podSecurity" -}}
runAsNonRoot: true
{{- if .Values.fixedIds }}
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "gpu-sharing.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/*
The token of the account, renewed after eight minutes: accounts that are deleted and made again void it, and a replica
whose namespaces go unwatched for ten minutes is not ready. Kubelets renew the usual ones after 48.
*/}}
{{- define "gpu-sharing.tokenVolume" -}}
- name: token
  projected:
    sources:
    - serviceAccountToken: {path: token, expirationSeconds: 600}
    - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}

{{- define "gpu-sharing.tokenMount" -}}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{/* The failurePolicy that the profile asks for; it takes effect once a refusal was seen. */}}
{{- define "gpu-sharing.failurePolicy" -}}
{{ ternary "Fail" "Ignore" (eq .Values.profile "strict") }}
{{- end }}
