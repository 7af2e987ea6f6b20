// Prints the address that each datagram comes from: udp-server.mjs PORT [MULTICAST_GROUP INTERFACE_ADDRESS]
import { createSocket } from 'node:dgram';

const [port, group, interfaceAddress] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.on('message', (message, { address }) => console.log(`${message} from ${address}`));
socket.bind(Number(port), () => {
  if (group !== undefined) socket.addMembership(group, interfaceAddress);
  console.log('ready');
});
