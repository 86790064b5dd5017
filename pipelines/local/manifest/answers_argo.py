"""The answers for Argo's own types and the Kubernetes types inside them."""

from __future__ import annotations

from pipelines.local.manifest.answers import row

SERVER = "the API server sets it"
NO_PODS = "steps are processes of this machine: there is no pod to place or to configure"
NO_STORE = "there is no artifact store here: pass data by parameters or tables"
NO_VOLUMES = "steps share no volumes here: pass data by parameters or tables"
NO_SIDE = "one process runs per step here: nothing can run beside it"
NO_METRICS = "there is no metrics endpoint here"
NO_AGENT = "there is no agent that would run it"
NO_PATCH = "there is no pod to patch"
NO_PROBES = "nothing probes a step here"
NO_CLUSTER_SCOPE = "cluster-scoped templates need a cluster: use a WorkflowTemplate"
NO_DATABASE = "locks are kept in this machine's store only"
HOST_NAMES = "names resolve as on this machine"
A_RECORD = "it is the record of a run, not part of a manifest"
KEPT = "runs are kept until you remove them"
VIRTUAL = "with --virtual-time the clock jumps instead of waiting"
PLAYED = "`batchlab cron` plays it on a virtual clock"

_CONTAINER = row(
    "args command env envFrom image name resources workingDir",
    notice={
        "imagePullPolicy": "an image name maps to a program of this machine: nothing is pulled",
        "ports readinessProbe securityContext": NO_PODS,
        "terminationMessagePath terminationMessagePolicy": NO_PODS,
        "stdin stdinOnce tty": "no terminal is attached",
        "resizePolicy": NO_PODS,
    },
    refused={
        "lifecycle": NO_SIDE,
        "livenessProbe startupProbe": NO_PROBES,
        "restartPolicy": NO_SIDE,
        "volumeDevices volumeMounts": NO_VOLUMES,
    },
)
_KEY = row("key name optional")
_REF = row("name optional")
_STEP = "arguments continueOn hooks inline name onExit template templateRef when withItems withParam withSequence"

ROWS = {
    "Workflow": row("apiVersion kind metadata spec", refused={"status": A_RECORD}),
    "WorkflowTemplate": row("apiVersion kind metadata spec"),
    "ClusterWorkflowTemplate": row("apiVersion kind metadata", refused={"spec": NO_CLUSTER_SCOPE}),
    "CronWorkflow": row("apiVersion kind metadata spec", simulate={"status": "a play begins where it says"}),
    "ObjectMeta": row(
        "annotations generateName labels name",
        notice={
            "namespace": "there is one namespace here",
            "creationTimestamp deletionGracePeriodSeconds deletionTimestamp generation managedFields "
            "resourceVersion selfLink uid": SERVER,
            "finalizers ownerReferences": "nothing collects objects here",
        },
    ),
    "WorkflowSpec": row(
        "arguments entrypoint hooks onExit parallelism priority retryStrategy serviceAccountName suspend "
        "synchronization templateDefaults templates workflowMetadata workflowTemplateRef",
        simulate={"activeDeadlineSeconds": VIRTUAL},
        notice={
            "affinity automountServiceAccountToken executor hostNetwork imagePullSecrets nodeSelector "
            "podDisruptionBudget podMetadata podPriorityClassName schedulerName securityContext tolerations": NO_PODS,
            "dnsConfig dnsPolicy": HOST_NAMES,
            "podGC": NO_PODS,
            "ttlStrategy": KEPT,
            "archiveLogs": "logs are kept under the state directory",
            "artifactGC": NO_STORE,
            "volumeClaimGC": NO_VOLUMES,
        },
        refused={
            "artifactRepositoryRef": NO_STORE,
            "hostAliases": HOST_NAMES,
            "metrics": NO_METRICS,
            "podSpecPatch": NO_PATCH,
            "shutdown": "it ends a run from outside: a run that is submitted with it would not run",
            "volumeClaimTemplates volumes": NO_VOLUMES,
        },
    ),
    "Template": row(
        "container dag failFast inputs memoize name outputs parallelism resource retryStrategy script steps suspend "
        "synchronization",
        simulate={"activeDeadlineSeconds timeout": VIRTUAL},
        notice={
            "affinity automountServiceAccountToken executor metadata nodeSelector priorityClassName schedulerName "
            "securityContext serviceAccountName tolerations": NO_PODS,
            "annotations": "they are shown by Argo's web page only",
        },
        refused={
            "archiveLocation": NO_STORE,
            "containerSet daemon initContainers sidecars": NO_SIDE,
            "data": NO_STORE,
            "hostAliases": HOST_NAMES,
            "http plugin": NO_AGENT,
            "metrics": NO_METRICS,
            "podSpecPatch": NO_PATCH,
            "volumes": NO_VOLUMES,
        },
    ),
    "Container": _CONTAINER,
    "ScriptTemplate": {**_CONTAINER, **row("source")},
    "EnvVar": row("name value valueFrom"),
    "EnvVarSource": row(
        "configMapKeyRef secretKeyRef",
        refused={"fieldRef resourceFieldRef": "there is no pod whose fields could be read"},
    ),
    "EnvFromSource": row("configMapRef prefix secretRef"),
    "ConfigMapKeySelector": _KEY,
    "SecretKeySelector": _KEY,
    "ConfigMapEnvSource": _REF,
    "SecretEnvSource": _REF,
    "ResourceRequirements": row(
        notice={"limits": "a step may use what this machine has", "requests": NO_PODS}, refused={"claims": NO_PODS}
    ),
    "ResourceTemplate": row(
        "action failureCondition manifest mergeStrategy successCondition",
        notice={"setOwnerReference": "nothing collects objects here"},
        refused={"flags": "kubectl is not what runs it here", "manifestFrom": NO_STORE},
    ),
    "DAGTemplate": row("failFast target tasks"),
    "DAGTask": row(f"dependencies depends {_STEP}"),
    "WorkflowStep": row(_STEP),
    "TemplateRef": row("name template", refused={"clusterScope": NO_CLUSTER_SCOPE}),
    "WorkflowTemplateRef": row("name", refused={"clusterScope": NO_CLUSTER_SCOPE}),
    "LifecycleHook": row("arguments expression template templateRef"),
    "ContinueOn": row("error failed"),
    "Sequence": row("count end format start"),
    "SuspendTemplate": row(simulate={"duration": VIRTUAL}),
    "Arguments": row("parameters", refused={"artifacts": NO_STORE}),
    "Inputs": row("parameters", refused={"artifacts": NO_STORE}),
    "Outputs": row("parameters", refused={"artifacts": NO_STORE, "exitCode result": A_RECORD}),
    "Parameter": row("default description enum globalName name value valueFrom"),
    "ValueFrom": row(
        "configMapKeyRef default expression jqFilter jsonPath parameter path supplied",
        refused={"event": "there are no events here: give the value with -p"},
    ),
    "SuppliedValueFrom": row(),
    "RetryStrategy": row(
        "backoff expression limit retryPolicy",
        notice={"affinity": NO_PODS},
    ),
    "Backoff": row(simulate={"cap duration factor maxDuration": VIRTUAL}),
    "Synchronization": row("mutex mutexes semaphore semaphores"),
    "Mutex": row("name namespace", refused={"database": NO_DATABASE}),
    "SemaphoreRef": row("configMapKeyRef namespace", refused={"database": NO_DATABASE}),
    "Memoize": row("cache key", simulate={"maxAge": VIRTUAL}),
    "Cache": row("configMap"),
    "WorkflowMetadata": row("annotations labels labelsFrom"),
    "LabelValueFrom": row("expression"),
    "CronWorkflowSpec": row(
        "workflowMetadata workflowSpec",
        simulate={
            "concurrencyPolicy schedule schedules startingDeadlineSeconds stopStrategy suspend timezone when": PLAYED
        },
        notice={"failedJobsHistoryLimit successfulJobsHistoryLimit": KEPT},
    ),
    "StopStrategy": row(simulate={"expression": PLAYED}),
    "CronWorkflowStatus": row(
        simulate={"failed lastScheduledTime phase succeeded": "a play begins where it says"},
        notice={"active": "no run of another cluster is active here", "conditions": "they are shown only"},
    ),
}
