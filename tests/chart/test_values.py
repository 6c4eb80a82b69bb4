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
    # It is not rendered: test_budget.py.
    tested |= {"podDisruptionBudget.mayBlockDrains"}
    assert leaves() - tested == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_case_is_for_an_existing_value(module):
    unknown = {case.value for case in module.CASES} - leaves()
    assert unknown <= {"httpRoute"}
