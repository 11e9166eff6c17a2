import { Connection } from '@temporalio/client';

/** Rejects unless the namespace answers at this address in time. */
export async function connect(address: string, namespace: string, timeout: number): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: timeout });
  try {
    await connection.withDeadline(Date.now() + timeout, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } finally {
    await connection.close();
  }
}
