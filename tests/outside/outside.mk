# The environment of the reconstructed original. A part of the main Makefile.

ORIGINAL := $(call locked,original,tests/outside/original.txt)

# The MarkupSafe of that time has no wheel for Python 3.11. It needs no compiler.
old_sources := --no-binary markupsafe

$(ORIGINAL)/installed: | $(PYTHON)/installed
	$(PYTHON)/bin/uv venv --quiet --clear --python $(PYTHON)/bin/python $(@D)
	$(PYTHON)/bin/uv pip sync --quiet --compile-bytecode --require-hashes $(old_sources) --python $(@D) tests/outside/original.txt
	touch $@

test-outside: $(ORIGINAL)/installed
test-outside: export SWISS_ORIGINAL := $(ORIGINAL)/bin/python
test-outside: export SWISS_SPIN := $(SPIN)

.PHONY: lock-original
lock: lock-original
lock-original: $(PYTHON)/installed
	$(PYTHON)/bin/uv pip compile --quiet --universal --python-version 3.11 --python $(PYTHON) --generate-hashes --no-emit-index-url \
	  --custom-compile-command 'make lock' $(old_sources) --group original --output-file tests/outside/original.txt
