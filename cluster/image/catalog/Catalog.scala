// In Iceberg's package, because the routes of its adapter are visible only there.
package org.apache.iceberg.rest

import java.util.function.Consumer
import java.util.{Map => JavaMap}

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import org.apache.hadoop.conf.Configuration
import org.apache.iceberg.jdbc.JdbcCatalog
import org.apache.iceberg.rest.responses.ConfigResponse
import org.eclipse.jetty.ee10.servlet.{ServletContextHandler, ServletHolder}
import org.eclipse.jetty.http.UriCompliance
import org.eclipse.jetty.server.{HttpConfiguration, HttpConnectionFactory, Server, ServerConnector}

/** Tells clients, when they ask for the configuration, where the object store is and how to log in to it. They need to know nothing
  * but the catalog's address, here as on a laptop; what a client sets itself wins.
  */
class ConfiguringAdapter(catalog: JdbcCatalog, defaults: JavaMap[String, String]) extends RESTCatalogAdapter(catalog) {
  override def handleRequest[T <: RESTResponse](
      route: Route,
      variables: JavaMap[String, String],
      request: HTTPRequest,
      responseType: Class[T],
      headers: Consumer[JavaMap[String, String]]
  ): T =
    super.handleRequest(route, variables, request, responseType, headers) match {
      case config: ConfigResponse =>
        responseType.cast(ConfigResponse.builder().withDefaults(defaults).withEndpoints(config.endpoints()).build())
      case other => other
    }
}

/** Iceberg's reference REST server over its JDBC catalog, for a container: it listens on every interface, on port 8181.
  *
  * Its properties come from the environment: `CATALOG_S3_PATH__STYLE__ACCESS` is `s3.path-style-access`. Clients get those that begin
  * with `s3.` or `client.`.
  */
object Catalog {
  private val Prefix = "CATALOG_"
  private val Patience = 60

  /** Iceberg puts the levels of a namespace into a path with %1F between them, which Jetty takes for an attack. */
  private val Levels =
    UriCompliance.DEFAULT.`with`("iceberg", UriCompliance.Violation.SUSPICIOUS_PATH_CHARACTERS)

  def main(arguments: Array[String]): Unit = {
    val properties = sys.env.collect {
      case (name, value) if name.startsWith(Prefix) =>
        name.drop(Prefix.length).toLowerCase.replace("__", "-").replace('_', '.') -> value
    }
    val catalog = connected(properties, Patience)
    val shared = properties.filter { case (name, _) => name.startsWith("s3.") || name.startsWith("client.") }
    val context = new ServletContextHandler()
    context.addServlet(new ServletHolder(new RESTCatalogServlet(new ConfiguringAdapter(catalog, shared.asJava))), "/*")
    context.getServletHandler.setDecodeAmbiguousURIs(true)
    val server = new Server()
    val http = new HttpConfiguration()
    http.setUriCompliance(Levels)
    val connector = new ServerConnector(server, new HttpConnectionFactory(http))
    connector.setPort(8181)
    server.addConnector(connector)
    server.setHandler(context)
    server.setStopAtShutdown(true)
    server.start()
    println(s"catalog of ${properties("warehouse")} listens on 8181")
    server.join()
  }

  /** Opens the catalog; its database may start later than this. */
  private def connected(properties: Map[String, String], seconds: Int): JdbcCatalog =
    try {
      val catalog = new JdbcCatalog()
      catalog.setConf(new Configuration())
      catalog.initialize("lake", properties.asJava)
      catalog
    } catch {
      case NonFatal(error) if seconds > 0 =>
        println(s"no catalog yet: ${error.getMessage}")
        Thread.sleep(2000)
        connected(properties, seconds - 2)
    }
}
