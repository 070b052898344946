import { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';

/** A token for Amazon MSK in `region`, which holds for 15 minutes; signed with the credentials that AWS's clients find: a function's role. */
export async function signIamToken(region: string): Promise<string> {
  const { token } = await generateAuthToken({ region });
  return token;
}
