// Shows the OpenAPI document of this server with ReDoc.
window.Redoc.init(
  '/api/openapi.json',
  { hideDownloadButton: false, expandResponses: '200,201,202', sortOperationsAlphabetically: false },
  document.getElementById('redoc'),
)
