"""The Google dialect: `generateContent` of the Gemini API."""
