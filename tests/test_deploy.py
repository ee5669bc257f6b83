"""The files of `deploy/`: their configurations are accepted, and their containers have no more rights than they need.

`make packaging` also compares them with the schemas of Kubernetes.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from resolver.config import file as config
from resolver.version import VERSION
from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
USER = 65532
"""The user of the image."""


def manifests(*names: str) -> list[dict[str, Any]]:
    files = [DEPLOY / "kubernetes" / f"{name}.yaml" for name in names or ("resolver", "sidecar", "node")]
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


def the(kind: str, name: str) -> dict[str, Any]:
    return next(document for document in manifests(name) if document["kind"] == kind)


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each workload, by kind and name."""
    workloads = [each for each in manifests() if each["kind"] in {"Deployment", "DaemonSet"}]
    return {f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]["spec"] for each in workloads}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def pldns_of(pod: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in containers(pod) if each["name"] == "pldns")


def configurations() -> dict[str, str]:
    maps = {each["metadata"]["name"]: each["data"]["pldns.yaml"] for each in manifests() if each["kind"] == "ConfigMap"}
    boot = yaml.safe_load((DEPLOY / "azure/cloud-init.yaml").read_text())
    files = {file["path"]: file["content"] for file in boot["write_files"]}
    return maps | {"cloud-init": files["/etc/pldns/pldns.yaml"]}


@pytest.mark.parametrize("name", ["pldns", "app-pldns", "pldns-node", "cloud-init"])
def test_the_configuration_is_accepted_without_a_warning(name: str, tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(configurations()[name])
    accepted = config.load(file, {})
    assert accepted.warnings == ()
    assert accepted.worker.listen


def test_the_settings_of_compose_are_accepted(tmp_path: Path) -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["pldns"]
    file = tmp_path / "pldns.yaml"
    file.write_text("upstreams: {public: {servers: ['udp://192.0.2.1']}}\n")
    accepted = config.load(file, service["environment"])
    inside = {int(port.partition("/")[0].rpartition(":")[2]) for port in service["ports"]}
    assert {address.port for address in accepted.worker.listen} == inside
    assert service["read_only"]
    assert service["user"] == f"{USER}:{USER}"
    assert service["cap_drop"] == ["ALL"]
    assert (DEPLOY / service["build"]["context"] / "Dockerfile").exists()


def test_the_chart_has_a_schema_for_each_value_and_the_version_of_pldns() -> None:
    """`make packaging` renders it with Helm."""
    chart = DEPLOY / "helm/pldns"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    schema = json.loads((chart / "values.schema.json").read_text())
    assert schema["additionalProperties"] is False
    assert set(values) | {"global"} == set(schema["properties"])
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"] == VERSION


def test_each_namespace_comes_before_what_is_in_it() -> None:
    """`kubectl apply` creates the documents of a file in their order."""
    for name in ("resolver", "sidecar", "node"):
        known = {"default"}
        for each in manifests(name):
            if each["kind"] == "Namespace":
                known.add(each["metadata"]["name"])
            else:
                assert each["metadata"].get("namespace", "default") in known, (name, each["kind"])


def test_each_account_configuration_and_volume_that_a_pod_names_exists() -> None:
    for name in ("resolver", "sidecar", "node"):
        here = {(each["kind"], each["metadata"]["name"]) for each in manifests(name)}
        for workload in (each for each in manifests(name) if each["kind"] in {"Deployment", "DaemonSet"}):
            pod = workload["spec"]["template"]["spec"]
            assert ("ServiceAccount", pod["serviceAccountName"]) in here
            volumes = {each["name"]: each for each in pod["volumes"]}
            maps = {each["configMap"]["name"] for each in volumes.values() if "configMap" in each}
            assert {("ConfigMap", each) for each in maps} <= here
            assert {mount["name"] for each in containers(pod) for mount in each.get("volumeMounts", [])} == set(volumes)
            assert workload["spec"]["selector"]["matchLabels"].items() <= (
                workload["spec"]["template"]["metadata"]["labels"].items()
            )


@pytest.mark.parametrize("name", list(pods()))
def test_no_container_gains_rights(name: str) -> None:
    pod = pods()[name]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(pod):
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"]["drop"] == ["ALL"]
        assert "privileged" not in rights
    assert pldns_of(pod)["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("name", list(pods()))
def test_pldns_can_listen_on_port_53(name: str) -> None:
    """Kubernetes gives added capabilities only to root, and the sysctl only to pods with a network of their own."""
    pod = pods()[name]
    rights = pod["securityContext"] | pldns_of(pod)["securityContext"]
    if pod.get("hostNetwork"):
        assert rights["runAsUser"] == 0
        # to listen; and to become another user that owns the state directory
        assert set(rights["capabilities"]["add"]) == {"NET_BIND_SERVICE", "SETUID", "SETGID", "CHOWN"}
    else:
        assert (rights["runAsUser"], rights["runAsGroup"], rights["runAsNonRoot"]) == (USER, USER, True)
        assert {"name": "net.ipv4.ip_unprivileged_port_start", "value": "53"} in rights["sysctls"]
        assert "add" not in rights["capabilities"]
    # Group of the files of mounted secrets and tokens, which are not readable by all.
    assert rights["fsGroup"] == USER


@pytest.mark.parametrize("name", list(pods()))
def test_pldns_writes_only_to_volumes(name: str) -> None:
    mounts = {each["mountPath"]: each.get("readOnly", False) for each in pldns_of(pods()[name])["volumeMounts"]}
    assert mounts == {"/etc/pldns": True, "/var/lib/pldns": False, "/tmp": False}  # noqa: S108 - a path in a container


@pytest.mark.parametrize("name", list(pods()))
def test_the_kubelet_asks_pldns_inside_its_container(name: str) -> None:
    container = pldns_of(pods()[name])
    assert container["args"] == ["serve", "-c", "/etc/pldns/pldns.yaml"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["exec"] == {"command": ["pldns", "healthcheck"]}
    assert set(container["resources"]["limits"]) == {"memory"}


@pytest.mark.parametrize("name", list(pods()))
def test_pldns_does_not_ask_a_resolver_that_may_forward_to_it(name: str) -> None:
    pod = pods()[name]
    assert pod["dnsPolicy"] == "None"
    assert pod["dnsConfig"]["nameservers"] == (["127.0.0.1"] if name == "Deployment/app" else ["168.63.129.16"])


def test_the_sidecar_starts_before_the_application() -> None:
    pod = the("Deployment", "sidecar")["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["restartPolicy"] == "Always"
    assert {"name": "ndots", "value": "2"} in pod["dnsConfig"]["options"]


def test_the_service_and_the_policy_let_dns_through() -> None:
    pod = pldns_of(the("Deployment", "resolver")["spec"]["template"]["spec"])
    names = {port["name"]: (port["containerPort"], port["protocol"]) for port in pod["ports"]}
    service = the("Service", "resolver")["spec"]
    assert {names[port["targetPort"]] for port in service["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert service["externalTrafficPolicy"] == "Local"
    dns, health = the("NetworkPolicy", "resolver")["spec"]["ingress"]
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert health["ports"] == [{"port": 8054, "protocol": "TCP"}]
    assert [list(each) for each in health["from"]] == [["namespaceSelector"]]


def test_kubelet_and_prometheus_use_the_listener_for_health_checks() -> None:
    pod = the("Deployment", "resolver")["spec"]["template"]
    container = pldns_of(pod["spec"])
    settings = yaml.safe_load(the("ConfigMap", "resolver")["data"]["pldns.yaml"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert settings["admin"] == {"health": f"0.0.0.0:{ports['health']}"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(ports["health"])


def documented_permissions() -> set[str]:
    pages = [(ROOT / "docs" / page).read_text() for page in ("azure.md", "private-dns.md")]
    return set(re.findall(r"`(Microsoft\.[\w/*]+/read)`", "".join(pages)))


@pytest.mark.parametrize("file", ["main.tf", "main.bicep"])
def test_the_role_has_the_documented_permissions_and_no_other(file: str) -> None:
    text = (DEPLOY / "azure" / file).read_text()
    assert (
        set(re.findall(r"""["'](Microsoft\.[\w/*]+/(?:read|write|action|\*))["']""", text)) == documented_permissions()
    )


def test_the_boot_installs_a_package_without_asking_or_using_a_shell_for_the_url() -> None:
    commands = yaml.safe_load((DEPLOY / "azure/cloud-init.yaml").read_text())["runcmd"]
    (fetch,) = [command for command in commands if "PACKAGE_URL" in str(command)]
    assert isinstance(fetch, list)  # cloud-init gives a text to a shell; a URL with a signature has `&`
    (install,) = [command for command in commands if "apt-get install" in command]
    assert "Dpkg::Options::=--force-confold" in install
