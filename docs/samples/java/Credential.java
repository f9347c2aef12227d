import java.io.IOException;
import java.util.Map;

/** Proves to the platform who calls. 调用凭证 */
interface Credential {
    /** The headers for one attempt; path and body exactly as they are sent. 每次发送都须重新获取 */
    Map<String, String> headers(String method, String path, byte[] body) throws IOException, InterruptedException;

    /** The platform refused the last headers with 401: the next ones must be new. 收到 401 后作废 */
    void discard();
}
