import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** The canonical text of a record, its digest, the sum of a set: docs/canonical-text.md. 记录的规范文本、摘要与集合指纹 */
final class RecordDigest {
    private static final BigInteger WRAP = BigInteger.ONE.shiftLeft(256);
    private static final List<String> NAMES =
            List.of(
                    "record_id",
                    "lot_id",
                    "direction",
                    "event_time_ms",
                    "plate_number",
                    "plate_colour",
                    "plate_kind",
                    "plate_state",
                    "vehicle_class",
                    "gate_id",
                    "lane_id",
                    "berth_id",
                    "device_id",
                    "visit_id",
                    "parking_type",
                    "release_method",
                    "release_reason");

    private RecordDigest() {}

    /** Texts and whole numbers by their names; empty text and 0 are not stated. 规范文本；空串与 0 为未填写 */
    static byte[] canonical(Map<String, ?> facts) {
        StringBuilder text = new StringBuilder("parkmesh.access.record/1\n");
        for (String name : NAMES) {
            Object value = facts.get(name);
            boolean stated = value instanceof Number ? ((Number) value).longValue() != 0 : value != null;
            String said = stated ? value.toString() : "";
            if (!said.isEmpty()) {
                int length = said.getBytes(StandardCharsets.UTF_8).length; // bytes, not characters
                text.append(name).append('=').append(length).append(':').append(said).append('\n');
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** SHA-256 of the canonical text, 32 bytes. 摘要，32 字节 */
    static byte[] digest(Map<String, ?> facts) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(canonical(facts));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible); // every JDK has it
        }
    }

    /** The digests as big-endian numbers, added up modulo 2^256: 32 bytes. 摘要按大端整数相加，模 2^256 */
    static byte[] sum(List<byte[]> digests) {
        BigInteger total = BigInteger.ZERO;
        for (byte[] each : digests) {
            total = total.add(new BigInteger(1, each)).mod(WRAP);
        }
        byte[] shortest = total.toByteArray(); // with a sign bit in front, without leading zeros
        byte[] sum = new byte[32];
        int length = Math.min(shortest.length, sum.length);
        System.arraycopy(shortest, shortest.length - length, sum, sum.length - length, length);
        return sum;
    }

    /** A fingerprint as JSON has it: how many, and the sum in base64. 集合指纹：条数与摘要之和 */
    static Map<String, Object> fingerprint(List<byte[]> digests) {
        return Map.of("count", digests.size(), "digestSum", Base64.getEncoder().encodeToString(sum(digests)));
    }
}
