# The Go programs that tests and benchmarks run. go.mod and kube-score/go.mod pin
# their versions. A part of the main Makefile.

# The version of the module $(1), without its v, in the go.mod of the folder $(2).
go_version = $(shell awk '{ sub(/^(require|tool) /, "") } $$1 == "$(1)" && $$2 ~ /^v/ { print substr($$2, 2) }' $(2)/go.mod)

GO_TOOLS := tests/go
HELM3_VERSION := $(call go_version,helm.sh/helm/v3,$(GO_TOOLS))
HELM4_VERSION := $(call go_version,helm.sh/helm/v4,$(GO_TOOLS))

# Go compiles a package once for all builds that have the same flags. So these are the
# flags of all: no debugging information, which `-s -w` would remove in the end, no
# inlining, which takes a quarter of the time to compile Helm, and less garbage
# collection in the compiler.
go_build = CGO_ENABLED=0 GOGC=400 go build -trimpath -pgo=off -gcflags='all=-dwarf=false -l'
GO_PROGRAMS := $(call locked,go,$(GO_TOOLS)/go.sum)
KUBE_SCORE_PROGRAMS := $(call locked,kube-score,$(GO_TOOLS)/kube-score/go.sum)

HELM3 := $(GO_PROGRAMS)/helm3
HELM4 := $(GO_PROGRAMS)/helm4
HELM_DOCS := $(GO_PROGRAMS)/helm-docs
VEGETA := $(GO_PROGRAMS)/vegeta
# The custom resource definitions of the Gateway API, which hold the schemas.
GATEWAY_API := $(GO_PROGRAMS)/gateway-api
KUBE_SCORE := $(KUBE_SCORE_PROGRAMS)/kube-score

$(HELM3) $(HELM4) $(HELM_DOCS) $(VEGETA) $(GATEWAY_API): | $(GO_PROGRAMS) ;
$(KUBE_SCORE): | $(KUBE_SCORE_PROGRAMS) ;

$(GO_PROGRAMS):
	@echo "Compiling Helm 3, Helm 4, helm-docs and vegeta: some minutes, the first time."
	rm -rf $@.new && mkdir -p $@.new
	cd $(GO_TOOLS) && $(go_build) -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=v$(HELM3_VERSION)" -o $@.new/helm3 helm.sh/helm/v3/cmd/helm
	cd $(GO_TOOLS) && $(go_build) -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$(HELM4_VERSION)" -o $@.new/helm4 helm.sh/helm/v4/cmd/helm
	cd $(GO_TOOLS) && $(go_build) -ldflags "-s -w" -o $@.new/ github.com/norwoodj/helm-docs/cmd/helm-docs github.com/tsenart/vegeta/v12
	cd $(GO_TOOLS) && go mod download sigs.k8s.io/gateway-api
	cp -R $$(cd $(GO_TOOLS) && go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd/standard $@.new/gateway-api
	chmod -R u+w $@.new/gateway-api
	mv $@.new $@

$(KUBE_SCORE_PROGRAMS):
	rm -rf $@.new && mkdir -p $@.new
	cd $(GO_TOOLS)/kube-score && $(go_build) -ldflags "-s -w" -o $@.new/ tool
	mv $@.new $@
