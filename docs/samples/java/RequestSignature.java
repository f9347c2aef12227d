import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Client id and signing key: every request is signed, see docs/request-signing.md. 请求签名 */
final class RequestSignature implements Credential {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String clientId;
    private final String signingKey;

    RequestSignature(String clientId, String signingKey) {
        this.clientId = clientId;
        this.signingKey = signingKey;
    }

    /** The headers, under a timestamp and a nonce of their own: good for 300 s and once. */
    @Override
    public Map<String, String> headers(String method, String path, byte[] body) {
        byte[] random = new byte[16];
        RANDOM.nextBytes(random);
        String nonce = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        return headers(method, path, "", String.valueOf(System.currentTimeMillis()), nonce, body);
    }

    @Override
    public void discard() {
        // No two attempts share a signature.
    }

    Map<String, String> headers(
            String method, String path, String query, String timestamp, String nonce, byte[] body) {
        String text = canonical(method, path, query, timestamp, nonce, body);
        return Map.of(
                "X-Parkmesh-Client", clientId,
                "X-Parkmesh-Timestamp", timestamp,
                "X-Parkmesh-Nonce", nonce,
                "X-Parkmesh-Content-SHA256", sha256(body),
                "X-Parkmesh-Signature", hmac(text));
    }

    /** The eight lines that are signed. 规范串 */
    String canonical(String method, String path, String query, String timestamp, String nonce, byte[] body) {
        return String.join(
                "\n", "PARKMESH-HMAC-SHA256-V1", method, path, query, timestamp, nonce, clientId, sha256(body));
    }

    private String hmac(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(signingKey.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return hex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible); // every JDK has it
        }
    }

    private static String sha256(byte[] body) {
        try {
            return hex(MessageDigest.getInstance("SHA-256").digest(body));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible); // every JDK has it
        }
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte each : bytes) {
            text.append(String.format("%02x", each));
        }
        return text.toString();
    }
}
