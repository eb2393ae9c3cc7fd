"""What a run sends, and when: targets, payloads, phases, traces, scenarios and the schedule. Pure."""
