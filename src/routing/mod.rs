//! Agents, matchers and the policy that ranks.
