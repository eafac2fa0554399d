"""The Transformer tab: pictures drawn token by token, completed, and looked at."""
