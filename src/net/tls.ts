import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';

/** Files in PEM: the certificate with those that lead to its authority, and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificate {
  /** Its content, to tell one from another. */
  readonly fingerprint: string;
  readonly until: Date;
}

/** Milliseconds between two looks at the files. */
const LOOK = 5_000;

/** Reads a certificate; throws a {@link StartError} that says which file is wrong and why. */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([read('TLS_CERT', files.cert), read('TLS_KEY', files.key)]);
  try {
    createSecureContext({ cert, key }); // that they belong together
    const { fingerprint256, validTo } = new X509Certificate(cert);
    return { fingerprint: fingerprint256, until: new Date(validTo) };
  } catch (error) {
    throw new StartError(
      `TLS_CERT and TLS_KEY hold no certificate and key that belong together: ${(error as Error).message}`,
    );
  }
}

async function read(variable: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new StartError(
      `${variable} names ${file}, which cannot be read (${reason}); expected a file in PEM`,
    );
  }
}

/** Calls `renewed` when there is another certificate in the files than the one that is `known`; a broken one is told in the log, and waited for. */
export function watchCertificate(
  files: CertificateFiles,
  known: () => Certificate | undefined,
  log: Logger,
  renewed: (certificate: Certificate) => Promise<void>,
): { close(): void } {
  let complaint = '';

  async function look(): Promise<void> {
    const now = await readCertificate(files);
    complaint = '';
    if (now.fingerprint !== known()?.fingerprint) await renewed(now);
  }

  const timer = setInterval(() => {
    look().catch((error: Error) => {
      if (error.message !== complaint) log.error({ err: error }, 'the certificate cannot be renewed');
      complaint = error.message; // once
    });
  }, LOOK).unref();
  return { close: () => clearInterval(timer) };
}
