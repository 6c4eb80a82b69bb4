"""Every value has a case, and every case a value."""

import pytest

import test_cluster
import test_deployment
import test_exposure
import test_gce
import test_helm_test
import test_scale
import test_service
from cases import leaves
from helm import merged, only, template
from test_gce import GCE

MODULES = (
    test_cluster,
    test_deployment,
    test_exposure,
    test_gce,
    test_helm_test,
    test_scale,
    test_service,
)


def test_every_value_has_a_case():
    tested = {case.value for module in MODULES for case in module.CASES}
    # The case of the whole map httpRoute sets httpRoute.enabled.
    tested |= {"httpRoute.enabled"}
    # They render nothing: test_root.py and test_notes.py test what they refuse and warn of.
    tested |= {"allowRoot", "lookup.namespace", "lookup.runtimeClass"}
    # It is not rendered: test_budget.py.
    tested |= {"podDisruptionBudget.mayBlockDrains"}
    assert leaves() - tested == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_case_is_for_an_existing_value(module):
    unknown = {case.value for case in module.CASES} - leaves()
    assert unknown <= {"httpRoute"}


# Values that a release of chart 0.1.0 may lack: `helm upgrade --reuse-values` takes the
# old chart's values without the new chart's defaults.
YOUNG = {
    "progressDeadlineSeconds": None,
    "listenAddress": None,
    "stateSizeLimit": None,
    "service": {"ipFamilyPolicy": None, "ipFamilies": None},
    "ingress": {"gce": None},
    "autoscaling": {"metrics": None},
    "podDisruptionBudget": {"mayBlockDrains": None},
    "image": {"packaging": "component"},
}


def test_the_values_of_an_older_chart_render():
    assert template(YOUNG)
    env = only("Deployment", YOUNG)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env[0]["value"] == "0.0.0.0:5000"
    check = only("BackendConfig", merged(GCE, YOUNG))["spec"]["healthCheck"]
    assert check == {"type": "HTTP", "port": 5000, "requestPath": "/ready"}
