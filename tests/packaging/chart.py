"""The Helm chart: Helm renders it, Kubernetes and pldns accept the result, and the schema refuses mistakes."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from resolver.config import file as config
from tests.packaging.programs import TOOLS, run
from tests.paths import ROOT

CHART: Final = ROOT / "deploy/helm/pldns"
HELM: Final = """
import json, sys
from helm_python import chart
report = chart.lint(sys.argv[1], strict=True, kube_version="v1.34.0")
assert not report["errors"] and all(each["severity"] <= 1 for each in report["messages"]), report
with chart.Chart.load(sys.argv[1]) as loaded:
    print(json.dumps(loaded.render(json.loads(sys.argv[2]), name=sys.argv[3], namespace="pldns")))
"""
"""A program that lints and renders the chart with Helm's own library. A severity of 1 is advice."""
IDENTITY: Final = "00000000-0000-0000-0000-000000000000"
SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"


def rendered(values: dict[str, Any], release: str = "pldns") -> dict[str, dict[str, Any]]:
    """Return the documents by kind."""
    said = run(TOOLS / "python", "-c", HELM, CHART, json.dumps(values), release)
    texts = [text for name, text in json.loads(said).items() if name.endswith(".yaml")]
    found = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return {each["kind"]: each for each in found}


def plain() -> dict[str, dict[str, Any]]:
    """Return the documents of the file for kubectl by kind."""
    text = (ROOT / "deploy/kubernetes/resolver.yaml").read_text()
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


@pytest.mark.parametrize("version", ["1.31", "1.34", "1.37"])
def test_kubernetes_accepts_each_document_and_knows_each_field(version: str, tmp_path: Path) -> None:
    values = {"image": {"digest": f"sha256:{'0' * 64}", "pullSecrets": [{"name": "registry"}]},
              "service": {"address": "10.0.0.4"}, "nodeSelector": {"agentpool": "dns"},
              "tolerations": [{"operator": "Exists"}]}  # fmt: skip
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(rendered(values, "other").values()))
    said = run(TOOLS / "kubernetes-validate", "--strict", "--kubernetes-version", version, file)
    assert said.count(" passed for resource ") == 6


def test_the_chart_creates_what_the_file_for_kubectl_creates() -> None:
    sources = [{"name": "azure", "type": "azure", "credential": {"type": "workload-identity"},
                "subscriptions": [SUBSCRIPTION]}]  # fmt: skip
    chart, file = rendered({"identity": {"clientId": IDENTITY}, "configuration": {"sources": sources}}), plain()
    assert set(chart) == set(file) - {"Namespace"}
    ours, theirs = (each["Deployment"]["spec"]["template"]["spec"] for each in (chart, file))
    for pod in (ours, theirs):
        pod["topologySpreadConstraints"] = sorted(each["topologyKey"] for each in pod["topologySpreadConstraints"])
        for key in ("image", "imagePullPolicy"):
            pod["containers"][0].pop(key, None)
    assert ours == theirs
    assert chart["NetworkPolicy"]["spec"]["ingress"] == file["NetworkPolicy"]["spec"]["ingress"]
    assert chart["NetworkPolicy"]["spec"]["egress"] == file["NetworkPolicy"]["spec"]["egress"]
    assert chart["Service"]["spec"]["ports"] == file["Service"]["spec"]["ports"]
    first, second = (yaml.safe_load(each["ConfigMap"]["data"]["pldns.yaml"]) for each in (chart, file))
    assert first == second


@pytest.mark.parametrize("values", [{}, {"configuration": {"admin": {"listen": "127.0.0.1:9053"}}}])
def test_the_configuration_is_accepted_without_a_warning(values: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(rendered(values)["ConfigMap"]["data"]["pldns.yaml"])
    assert config.load(file, {}).warnings == ()


def test_without_identity_policy_or_second_server_there_are_none() -> None:
    documents = rendered({"replicas": 1, "networkPolicy": {"enabled": False}})
    assert set(documents) == {"ServiceAccount", "ConfigMap", "Deployment", "Service"}
    assert "azure.workload.identity/use" not in documents["Deployment"]["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 3}, "additional properties 'replica' not allowed"),
        ({"replicas": 0}, "/replicas"),
        ({"configuration": {"state": {"directory": "/x"}}}, "/configuration/state"),
        ({"configuration": {"dns": {"listen": ["0.0.0.0:5353"]}}}, "/configuration/dns/listen"),
        ({"configuration": {"admin": {"health": "0.0.0.0:1"}}}, "/configuration/admin/health"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"identity": {"clientId": "me"}}, "/identity/clientId"),
        ({"networkPolicy": {"clients": ["10.0.0.0"]}}, "/networkPolicy/clients/0"),
        ({"service": {"address": "dns"}}, "/service/address"),
    ],
)
def test_the_schema_refuses_a_mistake_and_names_it(values: dict[str, Any], said: str) -> None:
    command = [str(TOOLS / "python"), "-c", HELM, str(CHART), json.dumps(values), "pldns"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in done.stderr
