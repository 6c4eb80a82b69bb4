# The chart's tests. A part of the main Makefile.

# Debian's, if PATH has none. Without one, the script of `helm test` is not run.
BUSYBOX := $(or $(shell command -v busybox),$(CACHE)/busybox-static/bin/busybox)

# BusyBox's tools lack GNU's extensions, as those of macOS do.
test-build: $(BUSYBOX)

$(CACHE)/busybox-static/bin/busybox: | $(CACHE)/busybox-static ;

$(CACHE)/busybox-static:
	$(call unpack_debian,busybox-static) || echo "Found no busybox, and could not unpack Debian's: the tests that need it are skipped." >&2

# Validators of GKE's custom resources, whose definitions no registry has by themselves.
GKE_LOCK := tests/chart/gke/package-lock.json
GKE_MODELS := $(call locked,gke,$(GKE_LOCK))/node_modules

$(GKE_MODELS): | $(dir $(GKE_MODELS)) ;

$(dir $(GKE_MODELS)):
	rm -rf $(@:/=).new && mkdir -p $(@:/=).new
	cp tests/chart/gke/package.json $(GKE_LOCK) $(@:/=).new
	npm ci --prefix $(@:/=).new --no-audit --no-fund
	mv $(@:/=).new $@

.PHONY: chart-tools test-chart chart-docs chart-golden chart-released

chart-tools: $(HELM3) $(HELM4) $(HELM_DOCS) $(KUBE_SCORE) $(GATEWAY_API) $(GKE_MODELS) $(BUSYBOX) $(PYTHON)/installed

chart_pytest = HELM3=$(HELM3) HELM4=$(HELM4) HELM_DOCS=$(HELM_DOCS) KUBE_SCORE=$(KUBE_SCORE) \
  GATEWAY_API=$(GATEWAY_API) GKE_MODELS=$(GKE_MODELS) BUSYBOX=$(BUSYBOX) \
  $(PYTHON)/bin/python -m pytest tests/chart

test-chart: chart-tools ## Test the chart: templates, schema, golden renders, policies
	$(chart_pytest) -p xdist --numprocesses auto --dist loadfile $(PYTEST_ARGS)

chart-docs: $(HELM_DOCS) ## Write chart/README.md from the comments in values.yaml
	$(HELM_DOCS) --chart-search-root chart --sort-values-order file

chart-golden: chart-tools ## Write the golden renders anew; read the diff before you commit
	$(chart_pytest)/test_golden.py --write-golden

chart-released: chart-tools ## Write the release that upgrades are tested from, when a version is tagged
	HELM3=$(HELM3) HELM4=$(HELM4) $(PYTHON)/bin/python tests/chart/released.py
