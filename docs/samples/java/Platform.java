import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The platform over HTTPS: bytes out, an answer back, nothing tried again. 平台的 HTTPS 接口，不重试。 */
final class Platform {
    /** How long one call may take; it is then given up, and its outcome is unknown. 单次调用时限 */
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final String url;
    private final HttpClient http;

    /** Trusts the authority in that PEM file, or the public ones when the path is empty. */
    Platform(String url, String ca) throws IOException, GeneralSecurityException {
        this.url = url;
        HttpClient.Builder builder = HttpClient.newBuilder().connectTimeout(DEADLINE);
        this.http = (ca.isEmpty() ? builder : builder.sslContext(trusting(Path.of(ca)))).build();
    }

    /** Posts JSON. IOException when no answer came: nobody knows then whether the request was carried out. */
    Answer post(String path, byte[] body, Map<String, String> headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(DEADLINE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        HttpResponse<byte[]> response = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        return new Answer(response.statusCode(), new String(response.body(), StandardCharsets.UTF_8));
    }

    private static SSLContext trusting(Path pem) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream file = Files.newInputStream(pem)) {
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                store.setCertificateEntry("ca-" + store.size(), each);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
