using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;

/// <summary>The canonical text of a record, its digest, the sum of a set: docs/canonical-text.md. 记录的规范文本、摘要与集合指纹</summary>
public static class RecordDigest
{
    private static readonly string[] Names =
    {
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
        "release_reason",
    };

    /// <summary>Texts by their names, numbers in decimal; empty text and null are not stated: write 0 as null. 规范文本；空串与 null 为未填写，数字 0 请传 null</summary>
    public static byte[] Canonical(IReadOnlyDictionary<string, string> facts)
    {
        var text = new StringBuilder("parkmesh.access.record/1\n");
        foreach (string name in Names)
        {
            string value;
            if (facts.TryGetValue(name, out value) && !string.IsNullOrEmpty(value))
            {
                int length = Encoding.UTF8.GetByteCount(value); // bytes, not characters
                text.Append(name).Append('=').Append(length).Append(':').Append(value).Append('\n');
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>SHA-256 of the canonical text, 32 bytes. 摘要，32 字节</summary>
    public static byte[] Digest(IReadOnlyDictionary<string, string> facts)
    {
        using (SHA256 sha256 = SHA256.Create())
        {
            return sha256.ComputeHash(Canonical(facts));
        }
    }

    /// <summary>The digests as big-endian numbers, added up modulo 2^256: 32 bytes. 摘要按大端整数相加，模 2^256</summary>
    public static byte[] Sum(IEnumerable<byte[]> digests)
    {
        var sum = new byte[32];
        foreach (byte[] digest in digests)
        {
            int carry = 0;
            for (int place = sum.Length - 1; place >= 0; place--)
            {
                carry += sum[place] + digest[place];
                sum[place] = (byte)carry;
                carry >>= 8;
            }
        }
        return sum;
    }

    /// <summary>The sum as JSON has it. 摘要之和的 base64</summary>
    public static string SumBase64(IEnumerable<byte[]> digests)
    {
        return Convert.ToBase64String(Sum(digests));
    }
}
