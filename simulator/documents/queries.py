"""The operations of Data Kiosk 2023-11-15: queries, and the lines of JSON that they leave."""

import json
from datetime import timedelta
from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.documents.jobs import Jobs, Kind, Spoken, Status
from simulator.documents.storage import Content, Storage
from simulator.seed import Seed
from simulator.world import World

FOLDER = "data-kiosk"
# Source: model dataKiosk_2023-11-15, CreateQuerySpecification.query.
QUERY_SIZE_MAX = 8_000
LINES = 30

SPOKEN = Spoken(Kind.QUERY, "queryId", "", "dataDocumentId")

Document = dict[str, Any]


class Queries:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, jobs: Jobs, storage: Storage, seed: Seed, world: World) -> None:
        self._jobs = jobs
        self._storage = storage
        self._seed = seed
        self._world = world
        storage.serve(FOLDER, self._content)

    def create(self, call: Call) -> Document:
        """Return the answer of createQuery; a query that is no GraphQL selection ends FATAL."""
        query = call.body().get("query")
        if not isinstance(query, str) or not 1 <= len(query) <= QUERY_SIZE_MAX:
            raise exchange.invalid_input(
                "Invalid Input", f"query must have 1 to {QUERY_SIZE_MAX} characters."
            )
        is_balanced = "{" in query and query.count("{") == query.count("}")
        outcome = Status.DONE if is_balanced else Status.FATAL
        job = self._jobs.create(Kind.QUERY, call, type_name="query", outcome=outcome, asked={"query": query})
        return {"queryId": job.job_id}

    def one(self, call: Call) -> Document:
        """Return the answer of getQuery."""
        job = self._jobs.one(Kind.QUERY, call.parameters["queryId"], call)
        return self._jobs.shown(_spoken(job.outcome), job, call.now)

    def several(self, call: Call) -> Document:
        """Return the answer of getQueries."""
        jobs, token = self._jobs.page(SPOKEN, call)
        listed = [self._jobs.shown(_spoken(job.outcome), job, call.now) for job in jobs]
        return {"queries": listed} | ({"pagination": {"nextToken": token}} if token else {})

    def cancel(self, call: Call) -> None:
        """Take a query back that is in the queue."""
        self._jobs.cancel(Kind.QUERY, call.parameters["queryId"], call)

    def document(self, call: Call) -> Document:
        """Return the answer of getDocument."""
        job = self._jobs.document_of(Kind.QUERY, call.parameters["documentId"], call)
        url = self._storage.link(FOLDER, job.document_id, call.now)
        return {"documentId": job.document_id, "documentUrl": url}

    def _content(self, name: str) -> Content | None:
        job = self._jobs.behind(name)
        if job is None:
            return None
        if job.outcome != Status.DONE:
            body = json.dumps({"errors": [{"message": "The query is not valid."}]}).encode()
            return Content(body, "application/json", job.seller_id)
        products = self._world.products()
        lines = [
            {
                "startDate": f"{job.created_at - timedelta(days=day + 1):%Y-%m-%d}",
                "childAsin": products[day % len(products)].asin,
                "orderedUnits": self._seed.below(40, "sales", job.seller_id, day),
            }
            for day in range(LINES)
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return Content(body, "application/jsonl", job.seller_id)


def _spoken(outcome: str) -> Spoken:
    """Return how a query is shown: its document holds data, or says why there is none."""
    name = "dataDocumentId" if outcome == Status.DONE else "errorDocumentId"
    return Spoken(Kind.QUERY, "queryId", "", name)
