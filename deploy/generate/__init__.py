"""What is rendered from the tables of `webhook.core` into the chart, the policy and the docs."""
