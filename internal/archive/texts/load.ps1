# Loads the container images of this folder. It needs no network and no Ferry.
#
#   .\load.ps1            into the first client that is there
#   .\load.ps1 CLIENT     docker, podman or nerdctl
#   .\load.ps1 check      only compares the checksums
#
# If PowerShell refuses to run it: powershell -ExecutionPolicy Bypass -File load.ps1
param([string]$Client = "")
$ErrorActionPreference = "Stop"
$Folder = Split-Path -Parent $MyInvocation.MyCommand.Path

function Fail([string]$Message) {
    [Console]::Error.WriteLine("load.ps1: $Message")
    exit 1
}

$Sums = Join-Path $Folder "SHA256SUMS"
if (-not (Test-Path -LiteralPath $Sums)) {
    Fail "there is no file SHA256SUMS: copy the whole folder, or make the archive again"
}
$Parts = @()
foreach ($Line in Get-Content -LiteralPath $Sums) {
    if ($Line -notmatch '^([0-9a-f]{64})  (images\.tar(\.[0-9]{3})?)$') { Fail "SHA256SUMS has a line that cannot be: $Line" }
    $Want = $Matches[1]
    $Name = $Matches[2]
    $Part = Join-Path $Folder $Name
    if (-not (Test-Path -LiteralPath $Part)) { Fail "$Name is missing: copy it again" }
    if ((Get-FileHash -Algorithm SHA256 -LiteralPath $Part).Hash -ne $Want) { Fail "$Name is damaged: copy it again" }
    Write-Output "${Name}: OK"
    $Parts += $Part
}
if ($Parts.Count -eq 0) { Fail "SHA256SUMS is empty" }
if ($Client -eq "check") { exit 0 }

$Clients = "docker", "podman", "nerdctl"
if ($Client -eq "") {
    $Client = $Clients | Where-Object { Get-Command $_ -ErrorAction SilentlyContinue } | Select-Object -First 1
    if (-not $Client) { Fail "there is no docker, podman or nerdctl" }
}
elseif ($Clients -notcontains $Client) { Fail "there is no client ${Client}: docker, podman or nerdctl" }

# A pipe of PowerShell is text, so the parts are joined in a file.
$Joined = $Parts[0]
$Temporary = $null
try {
    if ($Parts.Count -gt 1) {
        $Temporary = Join-Path $Folder "images.tar.joined"
        $Out = [IO.File]::Create($Temporary)
        try {
            foreach ($Part in $Parts) {
                $In = [IO.File]::OpenRead($Part)
                try { $In.CopyTo($Out) } finally { $In.Dispose() }
            }
        }
        finally { $Out.Dispose() }
        $Joined = $Temporary
    }
    Write-Output "loading into $Client"
    & $Client load -i $Joined
    if ($LASTEXITCODE -ne 0) { Fail "$Client did not take the images" }
    Write-Output "loaded into $Client"
}
finally {
    if ($Temporary) { Remove-Item -LiteralPath $Temporary -ErrorAction SilentlyContinue }
}
