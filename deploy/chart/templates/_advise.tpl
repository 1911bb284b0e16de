{{/*
Entries of the ValidatingWebhookConfiguration that only warn: what will become of the pods of an
object, told to whoever applies it. Conditions are per entry, and a template stands at another place
in each, hence three.
*/}}

{{/* Who applied the owner was told; and nothing is said again where the part `of` stays as it is. */}}
{{- define "gpu-sharing.news" -}}
- name: not-made-by-a-controller
  expression: >-
    !has(object.metadata.ownerReferences) || !object.metadata.ownerReferences.exists(o, has(o.controller) && o.controller)
- name: other-pods-than-before
  expression: >-
    oldObject == null || object.{{ .of }} != oldObject.{{ .of }}
{{- end }}

{{- define "gpu-sharing.adviseEntry" -}}
- name: {{ .name }}
  clientConfig: {{- include "gpu-sharing.clientConfig" (dict "root" .root "path" "/advise") | nindent 4 }}
  rules:
  {{- range .rules }}
  - {apiGroups: {{ toJson .apiGroups }}, apiVersions: {{ toJson .apiVersions }}, resources: {{ toJson .resources }}, operations: [CREATE, UPDATE], scope: Namespaced}
  {{- end }}
  namespaceSelector: {{- include "gpu-sharing.namespaceSelector" (dict "root" .root "modes" (list "enforce" "audit")) | nindent 4 }}
  matchConditions:
  {{- include "gpu-sharing.news" (dict "of" .of) | nindent 2 }}
  {{- with .template }}
  - name: pods-can-reach-a-gpu
    expression: >-
      {{- include "gpu-sharing.podsReach" . | nindent 6 }}
  {{- end }}
  failurePolicy: Ignore   # advice must never refuse anything, not even by being down
  timeoutSeconds: {{ min .root.Values.timeoutSeconds 2 }}
  sideEffects: None
  matchPolicy: Equivalent
  admissionReviewVersions: [v1]
{{- end }}

{{- define "gpu-sharing.advise" -}}
{{- $apps := dict "apiGroups" (list "apps") "apiVersions" (list "v1") "resources" (list "deployments" "statefulsets" "daemonsets") }}
{{- $jobs := dict "apiGroups" (list "batch") "apiVersions" (list "v1") "resources" (list "jobs") }}
{{- $cron := dict "apiGroups" (list "batch") "apiVersions" (list "v1") "resources" (list "cronjobs") }}
{{- $template := "spec.template" }}
{{- $inCron := "spec.jobTemplate.spec.template" }}
{{ include "gpu-sharing.adviseEntry" (dict "root" . "name" "advise.gpu-sharing.io" "rules" (list $apps $jobs) "of" $template "template" (printf "object.%s" $template)) }}
{{ include "gpu-sharing.adviseEntry" (dict "root" . "name" "advise.cronjobs.gpu-sharing.io" "rules" (list $cron) "of" $inCron "template" (printf "object.%s" $inCron)) }}
{{- with .Values.advise.customResources }}
{{ include "gpu-sharing.adviseEntry" (dict "root" $ "name" "advise.custom.gpu-sharing.io" "rules" . "of" "spec" "template" "") }}
{{- end }}
{{- end }}
