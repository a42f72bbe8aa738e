// Starts Swagger UI on the document of this very server.
window.SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null, // nothing is sent to anybody else
  // A server can have more names than the one in the document; requests go where the page came from.
  requestInterceptor(request) {
    const { pathname, search } = new URL(request.url, location.origin)
    request.url = `${location.origin}${pathname}${search}`
    return request
  },
})
