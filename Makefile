# The few commands of this project, for people and for CI alike. Each is one script in bin/.
.DEFAULT_GOAL := help
.PHONY: help run demo-client demo-api test chaos lint bench timing screenshots assets messages lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start Realmkeep here, from a clean clone to a working product (PORT, DATABASE_URL, REDIS_URL, REALMKEEP_DATA)
	@bin/run

demo-client: ## Run the sample client of the demo realm beside `make run` (docs/quickstart)
	@bin/demo-client

demo-api: ## Run the sample API that the client calls
	@bin/demo-api

test: ## Run every check: lint, types, contracts, unit tests, PostgreSQL and Redis, browser
	@bin/test

chaos: ## Kill writers 1,000 times on each database, and PostgreSQL's server, and count what is lost (KILLS)
	@bin/chaos

lint: ## Run only the checks that need no test (bin/lint --fix repairs what a tool can)
	@bin/lint

bench: ## Measure CPU time of each protocol operation beside a peer
	@bin/bench

timing: ## Compare what a refused sign-in takes for known and unknown names, by a rank test
	@bin/timing-check

screenshots: ## Take pictures of every page, light and dark, wide and narrow, into screenshots/
	@bin/screenshots

assets: ## Build CSS and JavaScript from frontend/ into static/
	@bin/assets

messages: ## Bring the translations in locale/ up to what the sources say, and compile them
	@bin/messages

lock: ## Renew requirements/*.txt from requirements/*.in
	@bin/lock

clean: ## Remove what builds and tests leave behind; the data in var/ stays
	@bin/clean
