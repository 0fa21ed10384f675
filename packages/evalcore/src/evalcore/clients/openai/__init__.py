"""The OpenAI dialect: Chat Completions, as MindRouter and OpenAI speak it."""
