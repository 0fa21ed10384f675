"""OpenAI's own service: Chat Completions with its rules, which servers that are like it do not have."""
