# The chart's tests and their tools, whose versions stand here only. A part of
# the main Makefile.
HELM3_VERSION := 3.22.0
HELM4_VERSION := 4.3.1
HELM_DOCS_VERSION := 1.14.2
KUBE_SCORE_VERSION := 1.20.0
GATEWAY_API_VERSION := 1.5.1

HELM3 := $(CACHE)/helm-$(HELM3_VERSION)/helm
HELM4 := $(CACHE)/helm-$(HELM4_VERSION)/helm
HELM_DOCS := $(CACHE)/helm-docs-$(HELM_DOCS_VERSION)/helm-docs
KUBE_SCORE := $(CACHE)/kube-score-$(KUBE_SCORE_VERSION)/kube-score
GATEWAY_API := $(CACHE)/gateway-api-$(GATEWAY_API_VERSION)

# Debian's, when there is no other. Without any, the script of `helm test` is not run.
BUSYBOX := $(or $(shell command -v busybox),$(CACHE)/busybox-static/bin/busybox)

# Each arrives whole or not at all, under a name with its version.
go_install = GOBIN=$(dir $@)new go install -trimpath $(1) && mv $(dir $@)new/$(notdir $@) $@ && rmdir $(dir $@)new

$(HELM3):
	$(call go_install,-ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v$(HELM3_VERSION)" helm.sh/helm/v3/cmd/helm@v$(HELM3_VERSION))

$(HELM4):
	$(call go_install,-ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$(HELM4_VERSION)" helm.sh/helm/v4/cmd/helm@v$(HELM4_VERSION))

$(HELM_DOCS):
	$(call go_install,github.com/norwoodj/helm-docs/cmd/helm-docs@v$(HELM_DOCS_VERSION))

$(KUBE_SCORE):
	$(call go_install,github.com/zegl/kube-score/cmd/kube-score@v$(KUBE_SCORE_VERSION))

# Only its custom resource definitions, which hold the schemas.
$(GATEWAY_API):
	mkdir -p $@.new
	cd $@.new && go mod init schemas 2>/dev/null && \
	  module=$$(go mod download -json sigs.k8s.io/gateway-api@v$(GATEWAY_API_VERSION) | sed -n 's/^\t"Dir": "\(.*\)",/\1/p') && \
	  cp $$module/config/crd/standard/*.yaml . && rm go.mod
	mv $@.new $@

$(CACHE)/busybox-static/bin/busybox: | $(CACHE)/busybox-static ;

$(CACHE)/busybox-static:
	$(call unpack_debian,busybox-static) || echo "No busybox, and none to be had here: its tests will be skipped." >&2

.PHONY: chart-tools test-chart chart-docs chart-golden

chart-tools: $(HELM3) $(HELM4) $(HELM_DOCS) $(KUBE_SCORE) $(GATEWAY_API) $(BUSYBOX) $(PYTHON)/installed

chart_pytest = HELM3=$(HELM3) HELM4=$(HELM4) HELM_DOCS=$(HELM_DOCS) KUBE_SCORE=$(KUBE_SCORE) \
  GATEWAY_API=$(GATEWAY_API) BUSYBOX=$(BUSYBOX) \
  $(PYTHON)/bin/python -m pytest tests/chart

test-chart: chart-tools ## Test the chart: templates, schema, golden renders, policies
	$(chart_pytest) -p xdist --numprocesses auto --dist loadfile $(PYTEST_ARGS)

chart-docs: $(HELM_DOCS) ## Write chart/README.md from the comments in values.yaml
	$(HELM_DOCS) --chart-search-root chart --sort-values-order file

chart-golden: chart-tools ## Write the golden renders anew; read the diff before you commit
	$(chart_pytest)/test_golden.py --write-golden
