{{/*
What the backstop takes from the policy in the values, so that it refuses whom the webhook refuses.
*/}}

{{/* What begins the validation of a check (root, key, built-in treatment of tenants, of others); empty
where the policy refuses nobody. */}}
{{- define "gpu-sharing.refuses" -}}
{{- $stated := dig "guards" (index . 1) dict ((index . 0).Values.policy | default dict) }}
{{- if kindIs "string" $stated }}{{ $stated = dict "tenants" $stated "others" $stated }}{{ end }}
{{- $tenants := eq "refuse" (dig "tenants" (index . 2) $stated) }}
{{- $others := eq "refuse" (dig "others" (index . 3) $stated) }}
{{- if and $tenants $others }}!{{ else if $tenants }}!variables.tenant || !{{ else if $others }}variables.tenant || !{{ end }}
{{- end }}

{{/* A list of the policy (root, key, built-in list): it adds to the built-in one, but for `replace`. */}}
{{- define "gpu-sharing.policyList" -}}
{{- $stated := dig (index . 1) list ((index . 0).Values.policy | default dict) -}}
{{- if kindIs "map" $stated }}{{ toJson $stated.replace }}{{ else }}{{ concat $stated (index . 2) | toJson }}{{ end }}
{{- end }}

{{/* A pod `o` says what it is for. */}}
{{- define "gpu-sharing.classified" -}}
{{- $labels := include "gpu-sharing.policyList" (list .root "wellKnownLabels" (include "gpu-sharing.wellKnownLabels" . | fromJsonArray)) | fromJsonArray -}}
(has({{ .o }}.metadata.labels) && ('gpu-sharing.io/workload' in {{ .o }}.metadata.labels
{{- range $label := $labels }} ||
{{ toJson $label.label }} in {{ $.o }}.metadata.labels{{ with $label.value }} && {{ $.o }}.metadata.labels[{{ toJson $label.label }}] == {{ toJson . }}{{ end }}
{{- end }}))
{{- end }}

{{/* Whose requests the policy lets through untouched. */}}
{{- define "gpu-sharing.notExempt" -}}
{{- with include "gpu-sharing.policyList" (list . "exemptUsers" list) | fromJsonArray }}
- name: not-exempt
  expression: >-
    !(request.userInfo.username in {{ toJson . }})
{{- end }}
{{- end }}

{{/* Whether a pod is a tenant's, by its namespace or by itself. */}}
{{- define "gpu-sharing.tenantVariable" -}}
- name: tenant
  expression: >-
    (has(namespaceObject.metadata.labels) && 'gpu-sharing.io/tenant' in namespaceObject.metadata.labels) ||
    (has(object.metadata.labels) && ('gpu-sharing.io/tenant' in object.metadata.labels ||
    ('gpu-sharing.io/workload' in object.metadata.labels && object.metadata.labels['gpu-sharing.io/workload'] == 'tenant'))) ||
    (has(namespaceObject.metadata.labels) && 'gpu-sharing.io/workload' in namespaceObject.metadata.labels &&
    namespaceObject.metadata.labels['gpu-sharing.io/workload'] == 'tenant' && !{{ include "gpu-sharing.classified" (dict "root" . "o" "object") | nindent 4 }})
{{- end }}
