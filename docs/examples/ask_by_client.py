"""What a CRM system asks of churnml, by the client generated from its description: python ask_by_client.py ADDRESS."""

import os
import sys
from uuid import uuid4

from churnml_client import AuthenticatedClient
from churnml_client.api.lists import at_risk
from churnml_client.api.records import customer, scores
from churnml_client.api.writing import outcomes
from churnml_client.models import OutcomesIn, Problem, ScoresRequest

client = AuthenticatedClient(base_url=sys.argv[1], token=os.environ["KEY"])

page = at_risk.sync(client=client, limit=2)
listed = [one.customer_id for one in page.items]
while page.next_cursor:  # follow it until it is null
    page = at_risk.sync(client=client, limit=2, cursor=page.next_cursor)
    listed += [one.customer_id for one in page.items]
print("at risk:", *listed)

record = customer.sync(listed[0], client=client)
print("the first:", record.customer_id, record.churn_probability, record.value_at_risk, record.reasons[0].sentence.en)

found = scores.sync(client=client, body=ScoresRequest(customer_ids=[*listed, "nobody"]))
print("in bulk:", len(found.records), "unknown:", *found.unknown)

told = OutcomesIn.from_dict({
    "outcomes": [{"assignment_id": record.assignment_id, "occurred_at": "1972-09-28T10:00:00Z", "kind": "carried_out"}]
})  # fmt: skip
export = str(uuid4())  # the same for every attempt
for _ in range(2):  # as one asks again who got no answer
    answer = outcomes.sync_detailed(client=client, body=told, idempotency_key=export)
    print("outcome:", answer.parsed.results[0].status, answer.headers.get("idempotency-replayed"))

nobody = customer.sync("nobody", client=client)
if isinstance(nobody, Problem):
    print("problem:", nobody.status, nobody.code)
