"""Which FQDNs and members each service gives a private endpoint, where they are not just `NAME.SUFFIX`.

A member is one address of the endpoint (`requiredMemberName` of the NIC). The texts have placeholders:

- `{name}` of the resource, its `{region}` and the short `{code}` of the region, the `{group}` id, and `{slot}`: the
  slot of an app with a hyphen before it;
- what the service makes up: `{guid}`, `{hex}` (the GUID without hyphens), `{hash}` (12 characters of it), `{number}`,
  `{digit}`;
- `{f0}`, `{f1}`…: the public suffixes of the catalogue's row in the resource's cloud; `{p0}` and `{plast}`: the first
  and the last of them without its first label;
- `{host}`: the FQDN from the resource's own properties, else `Rule.host`; `{hostname}` and `{domain}`: the first label
  of `{host}`, and the rest.

Sources are the pages about each service in Microsoft's documentation that `tests/zones/azure/test_documented_names.py`
names, and the `requiredMembers` that services list for their private link resources.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class MemberRule(NamedTuple):
    """A member and its FQDNs, as texts with placeholders; with `each_region` once for each region of the resource."""

    name: str
    fqdns: tuple[str, ...]
    each_region: bool = False


class Rule(NamedTuple):
    """The members of one group id. `known` is the path of the property that has the host name or a URL with it."""

    members: tuple[MemberRule, ...] = (MemberRule("{group}", ("{host}",)),)
    host: str = "{name}.{f0}"
    known: str = ""


def _one(*fqdns: str, member: str = "{group}", host: str = "{name}.{f0}", known: str = "") -> Rule:
    return Rule((MemberRule(member, fqdns or ("{host}",)),), host, known)


def _members(**members: str) -> Rule:
    return Rule(tuple(MemberRule(name, (fqdn,)) for name, fqdn in members.items()))


DEFAULT: Final = Rule()

_REGISTRY: Final = Rule(
    (
        MemberRule("registry_data_{region}", ("{name}.{region}.data.{f0}",), each_region=True),
        MemberRule("registry", ("{host}",)),
    )
)
_COSMOS: Final = Rule(
    (
        MemberRule("{name}", ("{host}",)),
        MemberRule("{name}-{region}", ("{name}-{region}.{f0}",), each_region=True),
    )
)
_WORKSPACE: Final = Rule(
    (
        MemberRule("default", ("{guid}.workspace.{region}.{f0}", "{guid}.workspace.{region}.cert.{f0}")),
        MemberRule("notebook", ("ml-{name}-{region}-{guid}.{region}.{f1}",)),
        MemberRule("inference", ("*.{region}.{f4}",)),
    )
)
_MONITOR: Final = _one(
    "api.{f0}", "in.ai.{f0}", "global.in.ai.{f0}", "live.{f0}", "profiler.{f0}", "snapshot.{f0}",
    "diagservices-query.{f0}", "global.handler.control.{f0}",
)  # fmt: skip
_ARC: Final = _one(
    "gbl.{f0}", "{code}.{f0}", "agentserviceapi.{f1}", "{region}-gas.{f1}", "{region}.{f2}",
)  # fmt: skip
_BACKUP: Final = _members(
    fc1="{hash}-ab-pod01-fc1.{f0}", id1="{hash}-ab-pod01-id1.{f0}", prot1="{hash}-ab-pod01-prot1.{f0}",
    rec2="{hash}-ab-pod01-rec2.{f0}",
)  # fmt: skip
_RECOVERY: Final = _members(
    id1="{hash}-asr-pod01-id1.{f0}", prot1="{hash}-asr-pod01-prot1.{f0}", rcm1="{hash}-asr-pod01-rcm1.{f0}",
    srs1="{hash}-asr-pod01-srs1.{f0}", tel1="{hash}-asr-pod01-tel1.{f0}",
)  # fmt: skip
_STORAGE_SYNC: Final = _members(
    management="{name}management.{region}.{f0}", monitoring="{name}monitoring.{region}.{f0}",
    syncp="{name}syncp.{region}.{f0}", syncs="{name}syncs.{region}.{f0}",
)  # fmt: skip
_EVENT_GRID: Final = _one(host="{name}.{region}-1.{f0}")
_AI: Final = Rule(
    (
        MemberRule("default", ("{host}",)),
        MemberRule("secondary", ("{name}.{f1}",)),
        MemberRule("third", ("{name}.{f2}",)),
    )
)

RULES: Final[Mapping[tuple[str, str], Rule]] = MappingProxyType(
    {
        (kind.casefold(), group.casefold()): rule
        for (kind, group), rule in {
            ("Microsoft.MachineLearningServices/workspaces", "amlworkspace"): _WORKSPACE,
            ("Microsoft.MachineLearningServices/registries", "amlregistry"): _one(
                "{guid}.registry.{region}.{f0}", "{guid}.registry.{region}.cert.{f0}"
            ),
            ("Microsoft.CognitiveServices/accounts", "account"): _AI,
            ("Microsoft.Synapse/workspaces", "SqlOnDemand"): _one(host="{name}-ondemand.{f0}"),
            ("Microsoft.Synapse/privateLinkHubs", "Web"): _one(host="web.{f0}"),
            ("Microsoft.DataFactory/factories", "dataFactory"): _one(host="{name}.{region}.{f0}"),
            ("Microsoft.DataFactory/factories", "portal"): _one(host="{f0}"),
            ("Microsoft.HDInsight/clusters", "gateway"): _one("{host}", "{name}-int.{f0}"),
            ("Microsoft.HDInsight/clusters", "headnode"): _one(host="{name}-ssh.{f0}"),
            ("Microsoft.Kusto/clusters", "cluster"): _one("{host}", "ingest-{host}"),
            ("Microsoft.PowerBI/privateLinkServicesForPowerBI", "tenant"): _one(
                "{hex}-api.{f0}", "*.{f1}", "{hex}-api.{f2}"
            ),
            ("Microsoft.Databricks/workspaces", "databricks_ui_api"): _one(
                host="adb-{number}.{digit}.{f0}", known="workspaceUrl"
            ),
            ("Microsoft.Databricks/workspaces", "browser_authentication"): _one(host="{region}.pl-auth.{f0}"),
            ("Microsoft.Batch/batchAccounts", "nodeManagement"): _one(host="{guid}.{f0}"),
            ("Microsoft.DesktopVirtualization/workspaces", "global"): _one(host="rdweb.{f0}"),
            ("Microsoft.DesktopVirtualization/workspaces", "feed"): _one(host="{guid}.{f0}"),
            ("Microsoft.DesktopVirtualization/hostpools", "connection"): _one(host="{guid}.{f0}"),
            ("Microsoft.ContainerService/managedClusters", "management"): _one(
                host="{name}-{hash}.privatelink.{f0}", known="privateFQDN"
            ),
            ("Microsoft.App/managedEnvironments", "managedEnvironments"): _one(
                "{host}", "*.{host}", host="{name}-{hash}.{region}.{f0}", known="defaultDomain"
            ),
            ("Microsoft.ContainerRegistry/registries", "registry"): _REGISTRY,
            ("Microsoft.Sql/managedInstances", "managedInstance"): _one(known="fullyQualifiedDomainName"),
            **dict.fromkeys(
                [
                    ("Microsoft.DocumentDB/databaseAccounts", group)
                    for group in ("Sql", "MongoDB", "Cassandra", "Gremlin", "Table", "Analytical")
                ],
                _COSMOS,
            ),
            ("Microsoft.DBforPostgreSQL/serverGroupsv2", "coordinator"): _one(host="c-{name}.{hash}.{f0}"),
            ("Microsoft.Cache/RedisEnterprise", "redisEnterprise"): _one(known="hostName"),
            ("Microsoft.HybridCompute/privateLinkScopes", "hybridcompute"): _ARC,
            ("Microsoft.EventGrid/topics", "topic"): _EVENT_GRID,
            ("Microsoft.EventGrid/domains", "domain"): _EVENT_GRID,
            ("Microsoft.EventGrid/namespaces", "topic"): _EVENT_GRID,
            ("Microsoft.EventGrid/namespaces", "topicSpace"): _one(host="{name}.{region}-1.ts.{f0}"),
            ("Microsoft.EventGrid/partnerNamespaces", "partnernamespace"): _EVENT_GRID,
            ("Microsoft.Devices/IotHubs", "iotHub"): _one("{host}", "iothub-ns-{name}-{hash}.{f1}"),
            ("Microsoft.DigitalTwins/digitalTwinsInstances", "API"): _one(host="{name}.api.{code}.{f0}"),
            ("Microsoft.Media/mediaservices", "keydelivery"): _one(host="{name}.keydelivery.{region}.{f0}"),
            ("Microsoft.Media/mediaservices", "liveevent"): _one(host="{name}-{code}.channel.{f0}"),
            ("Microsoft.Media/mediaservices", "streamingendpoint"): _one(host="{name}-{code}.streaming.{f0}"),
            ("Microsoft.Automation/automationAccounts", "Webhook"): _one(host="{guid}.webhook.{f0}"),
            ("Microsoft.Automation/automationAccounts", "DSCAndHybridWorker"): _one(host="{guid}.jrds.{f0}"),
            ("Microsoft.RecoveryServices/vaults", "AzureBackup"): _BACKUP,
            ("Microsoft.RecoveryServices/vaults", "AzureBackup_secondary"): _BACKUP,
            ("Microsoft.RecoveryServices/vaults", "AzureSiteRecovery"): _RECOVERY,
            ("Microsoft.Insights/privateLinkScopes", "azuremonitor"): _MONITOR,
            ("Microsoft.Purview/accounts", "portal"): _one(host="web.purview.{plast}"),
            ("Microsoft.Purview/accounts", "platform"): _one(host="api.{f0}"),
            ("Microsoft.Migrate/migrateProjects", "Default"): _one(host="{hash}-agent.{code}.disc.{f0}"),
            ("Microsoft.Migrate/assessmentProjects", "Default"): _one(host="{hash}-asm.{code}.asm.{f0}"),
            ("Microsoft.Authorization/resourceManagementPrivateLinks", "ResourceManagement"): _one(
                host="management.{f0}"
            ),
            ("Microsoft.Dashboard/grafana", "grafana"): _one(host="{name}-{hash}.{code}.{f0}", known="endpoint"),
            ("Microsoft.Monitor/accounts", "prometheusMetrics"): _one(host="{name}-{hash}.{f0}"),
            ("Microsoft.KeyVault/vaults", "vault"): _one(member="default", host="{name}.vault.{p0}", known="vaultUri"),
            ("Microsoft.KeyVault/managedHSMs", "managedhsm"): _one(member="default", known="hsmUri"),
            ("Microsoft.Attestation/attestationProviders", "standard"): _one(
                host="{name}.{code}.{f0}", known="attestUri"
            ),
            **{
                ("Microsoft.Storage/storageAccounts", group): _one(known=f"primaryEndpoints.{group}")
                for group in ("blob", "table", "queue", "file", "web", "dfs")
            },
            **{
                ("Microsoft.Storage/storageAccounts", f"{group}_secondary"): _one(
                    host="{name}-secondary.{f0}", known=f"secondaryEndpoints.{group}"
                )
                for group in ("blob", "table", "queue", "file", "web", "dfs")
            },
            ("Microsoft.StorageSync/storageSyncServices", "afs"): _STORAGE_SYNC,
            ("Microsoft.Compute/diskAccesses", "disks"): _one(host="md-{hash}.{f0}"),
            ("Microsoft.ElasticSan/elasticSans", "volumegroup"): _one(host="es-{hash}.z1.{f0}"),
            ("Microsoft.Web/sites", "sites"): _one(
                "{host}", "{hostname}.scm.{domain}", host="{name}{slot}.{f0}", known="defaultHostName"
            ),
            ("Microsoft.Web/staticSites", "staticSites"): _one(known="defaultHostname"),
            ("Microsoft.Web/hostingEnvironments", "hostingEnvironments"): _one(
                "*.{host}", "*.scm.{host}", host="{name}.appserviceenvironment.net"
            ),
            ("Microsoft.Maps/accounts", "account"): _one(host="{guid}.{region}.{f0}"),
        }.items()
    }
)
"""By resource type and group id, both folded. Other services have `DEFAULT`."""
