// Starts Swagger UI with the OpenAPI document of this server.

/**
 * Each field of the dialog asks for the focus, and the last one would get it: its token is for controllers, not for people.
 * The first field is for people.
 */
const focusFirstField = () => ({
  wrapComponents: {
    authorizationPopup: (Popup, { React }) =>
      class extends React.Component {
        componentDidMount() {
          document.querySelector('.modal-ux .auth-container input')?.focus()
        }

        render() {
          return React.createElement(Popup, this.props)
        }
      },
  },
})

window.SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  filter: true,
  tryItOutEnabled: true,
  plugins: [focusFirstField],
  validatorUrl: null, // nothing is sent to anybody else
  // A server can have more names than the one in the document; requests go where the page came from.
  requestInterceptor(request) {
    const { pathname, search } = new URL(request.url, location.origin)
    request.url = `${location.origin}${pathname}${search}`
    return request
  },
})
