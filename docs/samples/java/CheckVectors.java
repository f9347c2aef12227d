import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;

/** Signs every request of docs/vectors/request-signing.json and compares. 用公布的测试向量核对签名 */
public final class CheckVectors {
    private CheckVectors() {}

    public static void main(String[] arguments) throws Exception {
        int checked = 0;
        Object file = Json.parse(Files.readString(Path.of(arguments[0])));
        for (Map<String, Object> vector : Json.objects(Json.object(file).get("vectors"))) {
            RequestSignature signature = new RequestSignature(text(vector, "clientId"), text(vector, "key"));
            byte[] body = Base64.getDecoder().decode(text(vector, "body"));
            String method = text(vector, "method");
            String path = text(vector, "path");
            String query = text(vector, "query");
            String timestamp = text(vector, "timestamp");
            String nonce = text(vector, "nonce");
            Map<String, String> headers = signature.headers(method, path, query, timestamp, nonce, body);
            String canonical = signature.canonical(method, path, query, timestamp, nonce, body);
            if (!canonical.equals(text(vector, "canonical"))
                    || !headers.get("X-Parkmesh-Content-SHA256").equals(text(vector, "contentSha256"))
                    || !headers.get("X-Parkmesh-Signature").equals(text(vector, "signature"))) {
                System.out.println("wrong: " + text(vector, "name"));
                System.exit(1);
            }
            checked++;
        }
        System.out.println(checked + " vectors agree");
    }

    private static String text(Map<String, Object> vector, String name) {
        return (String) vector.get(name);
    }
}
