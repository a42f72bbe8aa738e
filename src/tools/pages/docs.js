// Draws the document of this very server with ReDoc.
window.Redoc.init(
  '/api/openapi.json',
  { hideDownloadButton: false, expandResponses: '200,201,202', sortOperationsAlphabetically: false },
  document.getElementById('redoc'),
)
